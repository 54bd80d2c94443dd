import { Random } from '../../src/common/index.js';
import { createAgent, identityNormalisation, learnerConfig } from '../../src/learning/index.js';
import { decodeBundle, encodeBundle, type PolicyBundle } from '../../src/policy/index.js';
import { contractOf, loadRobotSpec } from '../../src/robot/index.js';
import { type BenchResult, benchResult, type Figure, progress, quantile } from '../harness.js';
import { watchLoad } from '../load.js';
import { parseOptions } from '../options.js';
import { measureNode, measureTransport } from './over-transport.js';

const OPTIONS = {
  count: { default: 20_000, help: 'calls measured in process, one after the other' },
  warm: { default: 2000, help: 'calls before them that are not counted' },
  steps: { default: 5000, help: 'control steps measured over the transport, after a fifth as many that are not' },
  seconds: { default: 10, help: 'seconds of calls at the rate of the robot' },
} as const;

/** Observation → action in process, and state message → command message through the policy node. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('policy', args, OPTIONS);
  const load = watchLoad();
  const spec = loadRobotSpec('hopper');
  const bundle = await hopperBundle();
  progress('in process…');
  const figures = await inProcess(bundle, { ...options, rateHz: spec.rateHz });
  progress('over the transport…');
  const echo = await measureTransport(spec, options.steps);
  const node = await measureNode(spec, await decodeBundle(bundle), options.steps);
  figures.push(
    ...latency('transport alone', echo, 'state message → a subscriber that answers with a command at once'),
    ...latency('policy node', node, 'state message → command message: assembly, policy, safety filter'),
  );
  return benchResult('policy', args, [...figures, ...load()]);
}

/** A fresh actor of 2 × 256 for the hopper: 11 observations, 3 actions. Its weights do not matter for the time. */
async function hopperBundle(): Promise<PolicyBundle> {
  const contract = contractOf(loadRobotSpec('hopper'));
  const sizes = { observation: contract.observation.length, action: contract.action.length };
  const { initialState, policy, deployed } = createAgent(learnerConfig({ agent: 'iq-sac' }), sizes);
  const parameters = initialState(Random.derive(1, 'bench'))[deployed[0]!] as Float32Array;
  return await encodeBundle({
    policy: policy(parameters, identityNormalisation(sizes.observation)),
    contract,
    version: 0,
  });
}

async function inProcess(
  bundle: PolicyBundle,
  options: { readonly count: number; readonly warm: number; readonly seconds: number; readonly rateHz: number },
): Promise<Figure[]> {
  const runtime = await decodeBundle(bundle);
  const size = runtime.contract.observation.length;
  const random = Random.derive(2, 'bench');
  const observations = Array.from({ length: 1024 }, () => random.fillNormal(new Float32Array(size)));
  const call = async (i: number): Promise<number> => {
    const observation = observations[i % observations.length]!;
    const start = process.hrtime.bigint();
    await runtime.act(observation);
    return Number(process.hrtime.bigint() - start) / 1e3;
  };
  try {
    const micros: number[] = [];
    for (let i = 0; i < options.warm; i++) await call(i);
    for (let i = 0; i < options.count; i++) micros.push(await call(i));
    // A robot asks now and then: the caches are cold by then.
    const paced: number[] = [];
    const periodMs = 1000 / options.rateHz;
    const calls = Math.round(options.seconds * options.rateHz);
    for (let i = 0; i < calls; i++) {
      await new Promise((resolve) => setTimeout(resolve, periodMs));
      paced.push(await call(i));
    }
    return [
      ...latency('in process', micros, 'observation → action, batch 1, 2 × 256, one call after the other'),
      ...(calls === 0 ? [] : latency(`in process at ${options.rateHz} Hz`, paced, 'the same, idle between calls')),
    ];
  } finally {
    await runtime.dispose();
  }
}

function latency(name: string, micros: readonly number[], note: string): Figure[] {
  return [
    { name: `${name}: median`, value: quantile(micros, 0.5), unit: 'µs', note: `${note}; ${micros.length} samples` },
    { name: `${name}: p99`, value: quantile(micros, 0.99), unit: 'µs' },
    { name: `${name}: min`, value: quantile(micros, 0), unit: 'µs' },
  ];
}
