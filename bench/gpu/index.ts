import { IqLearnError, Random } from '../../src/common/index.js';
import { type ArrayRecord, deviceStatus } from '../../src/engine/index.js';
import { type LearnerConfig, learnerConfig } from '../../src/learning/index.js';
import { type BenchResult, benchResult, type Figure, median, progress } from '../harness.js';
import { parseOptions } from '../options.js';
import { alternate, type Contender, PythonPeer, peersPython } from '../peers/peer.js';
import { benchDevice, compileUpdate, programContender, updateInputs } from '../update/contenders.js';

/** The number of updates after which parameters are compared. */
const PARITY_UPDATES = 20;
/** The largest difference that rounding may make in a parameter in that many updates. A wrong gradient makes a hundred times as much. */
const PARITY_LIMIT = 1e-4;
/** The number of updates in one call of this package. */
const TOGETHER = 16;

interface Case {
  readonly name: string;
  readonly critics: 1 | 2;
  /** The number of rows of the policy's data in a batch, which has as many rows of the expert's. */
  readonly batch: number;
  readonly width: number;
}

const CASES: readonly Case[] = [
  { name: 'recipe', critics: 1, batch: 128, width: 256 },
  { name: 'single', critics: 1, batch: 256, width: 256 },
  { name: 'double', critics: 2, batch: 256, width: 256 },
  { name: 'wide', critics: 1, batch: 1024, width: 1024 },
];

const configOf = ({ critics, batch, width }: Case): LearnerConfig =>
  learnerConfig({
    agent: 'iq-sac',
    critics,
    batchSize: batch,
    hiddenSizes: [width, width],
    valueTerm: 'value',
    bufferSize: 20_000,
  });

const largest = (a: ArrayRecord, b: ArrayRecord): number => {
  let worst = 0;
  for (const [name, values] of Object.entries(a))
    for (let i = 0; i < values.length; i++) worst = Math.max(worst, Math.abs(values[i]! - b[name]![i]!));
  return worst;
};

/** Gives the largest difference between parameters and moments on the device and on the CPU. Throws INTERNAL above the limit. */
async function parity(given: Case, threads: number): Promise<Figure> {
  const config = configOf(given);
  const states: ArrayRecord[] = [];
  for (const device of ['cuda', 'cpu'] as const) {
    const executable = await compileUpdate(config, { device, threads }, new Random(1));
    const inputsOf = updateInputs(config, executable.inputs, new Random(2));
    for (let update = 1; update <= PARITY_UPDATES; update++) await executable.run(inputsOf(update));
    states.push(executable.readState());
    await executable.dispose();
  }
  const value = largest(states[0]!, states[1]!);
  if (!(value < PARITY_LIMIT))
    throw new IqLearnError('INTERNAL', `${given.name}: the GPU computes something else than the CPU`, {
      found: `a difference of ${value} after ${PARITY_UPDATES} updates`,
      expected: `less than ${PARITY_LIMIT}`,
    });
  return {
    name: `${given.name}: difference from the CPU`,
    value,
    unit: 'absolute',
    note: `largest of all parameters and moments after ${PARITY_UPDATES} updates`,
  };
}

/** Starts every peer in a process of its own. Without a GPU there is no CUDA graph to capture PyTorch in. */
function peers(given: Case, python: string, onGpu: boolean): readonly (() => Promise<Contender>)[] {
  const { critics, batch, width } = given;
  const flags = ['--critics', critics, '--batch', batch, '--width', width, '--device', onGpu ? 'cuda' : 'cpu'].map(
    String,
  );
  const rows: readonly (readonly [name: string, script: string, variant: string])[] = [
    ['torch usual', 'iq_learn_torch.py', 'usual'],
    ['torch lean', 'iq_learn_torch.py', 'lean'],
    ...(onGpu ? [['torch lean in a CUDA graph', 'iq_learn_torch.py', 'graph'] as const] : []),
    ['jax jitted', 'iq_learn_jax.py', 'jit'],
    ['jax scan of 32', 'iq_learn_jax.py', 'scan'],
  ];
  return rows.map(
    ([name, script, variant]) =>
      () =>
        PythonPeer.start(name, python, script, [...flags, '--variant', variant]),
  );
}

async function times(given: Case, contenders: readonly Contender[], rounds: number, block: number): Promise<Figure[]> {
  const samples = await alternate(contenders, { rounds, block });
  const mine = median(samples.get('ours')!);
  return [...samples].flatMap(([name, ms]) => [
    { name: `${given.name}: ${name}`, value: median(ms), unit: 'ms', note: `an update, median of ${ms.length}` },
    ...(name.startsWith('ours')
      ? []
      : [{ name: `${given.name}: ${name} ÷ ours`, value: median(ms) / mine, unit: 'ratio', note: 'of medians' }]),
  ]);
}

/** Checks parity first, then measures the time of an update beside PyTorch and JAX, which take turns on the same GPU. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('gpu', args, {
    device: { default: 'cuda', help: 'cuda, or cpu-bound: the same code on the CPU, to try this script' },
    peers: { default: null, help: "folder of the peers' Python environment, made by bench/gpu/run.sh" },
    'no-peers': { default: false, help: 'ours alone' },
    cases: { default: CASES.map(({ name }) => name).join(','), help: 'sizes to run, separated by commas' },
    rounds: { default: 8, help: 'rounds in which every contender has one block' },
    block: { default: 64, help: 'updates a block; the first quarter warms up and is not counted' },
    threads: { default: 2, help: 'threads of the CPU reference' },
  });
  const device = benchDevice(options.device);
  const python = options['no-peers'] ? undefined : peersPython(options.peers);
  const names = options.cases.split(',');
  const { threads, rounds, block } = options;
  const figures: Figure[] = [];
  const versions: Record<string, string> = {};
  for (const { device: name, availability } of await deviceStatus())
    if (name === device && availability.available) versions.device = availability.detail;
  for (const given of CASES.filter(({ name }) => names.includes(name))) {
    progress(`${given.name}: parity`);
    figures.push(await parity(given, threads));
    const config = configOf(given);
    const starts = [
      () => programContender('ours', config, { device, threads }),
      () => programContender(`ours, ${TOGETHER} a call`, config, { device, threads }, TOGETHER),
      ...(python === undefined ? [] : peers(given, python, options.device === 'cuda')),
    ];
    const contenders: Contender[] = [];
    try {
      for (const start of starts) contenders.push(await start());
      progress(`${given.name}: ${contenders.map(({ name }) => name).join(', ')}`);
      figures.push(...(await times(given, contenders, rounds, block)));
      for (const contender of contenders) Object.assign(versions, contender.versions);
    } finally {
      for (const contender of contenders) await contender.close();
    }
  }
  return benchResult('gpu', args, figures, { versions });
}
