import { Random, unknownName, vectorObservation } from '../../src/common/index.js';
import { compile, type Device, devices, type Executable } from '../../src/engine/index.js';
import { createAgent, identityNormalisation, Learner, type LearnerConfig } from '../../src/learning/index.js';
import type { Contender } from '../peers/peer.js';

export const OBSERVATION = 11;
export const ACTION = 3;
const EPISODE = 1000;
const BATCHES = 16;

/** What our contenders run on. */
export interface Engine {
  readonly device: Device;
  /** Threads on the CPU. */
  readonly threads: number;
}

/**
 * The device of `--device`. `cpu-bound` is the code of `cuda` on the CPU, for trying a bench on machines without a GPU.
 * NOT_FOUND for a device that nobody knows.
 */
export function benchDevice(text: string): Device {
  if (text === 'cpu-bound') process.env.IQ_LEARN_CUDA = 'cpu';
  const device = text === 'cpu-bound' ? 'cuda' : text;
  if (!(devices as readonly string[]).includes(device)) throw unknownName('device', text, [...devices, 'cpu-bound']);
  return device as Device;
}

async function timed(count: number, update: (i: number) => Promise<unknown>): Promise<number[]> {
  const ms: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = process.hrtime.bigint();
    await update(i);
    ms.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  return ms;
}

function learnerOptions(config: LearnerConfig, engine: Engine) {
  return {
    config,
    observation: vectorObservation(OBSERVATION),
    actionSize: ACTION,
    normalisation: identityNormalisation(OBSERVATION),
    seed: 1,
    ...engine,
  };
}

/** Our learner as it is used: batches drawn from the buffers, noise drawn, one update. */
export async function learnerContender(name: string, config: LearnerConfig, engine: Engine): Promise<Contender> {
  const learner = await Learner.create(learnerOptions(config, engine));
  const random = Random.derive(1, 'bench');
  const normal = (size: number): Float32Array => random.fillNormal(new Float32Array(size));
  if (config.agent !== 'sac')
    learner.addDemonstration({
      length: EPISODE,
      observations: normal((EPISODE + 1) * OBSERVATION),
      actions: normal(EPISODE * ACTION).map(Math.tanh),
      terminated: false,
    });
  for (let i = 0; i < 20 * EPISODE; i++)
    learner.addTransition({
      observation: normal(OBSERVATION),
      action: normal(ACTION).map(Math.tanh),
      nextObservation: normal(OBSERVATION),
      terminated: random.uniform(0, 1) < 0.01,
      reward: random.uniform(-1, 1),
    });
  await learner.update(20);
  return {
    name,
    versions: {},
    block: (count) => timed(count, () => learner.update()),
    close: () => learner.dispose(),
  };
}

const agentOf = (config: LearnerConfig) => createAgent(config, { observation: OBSERVATION, action: ACTION });

export function compileUpdate(config: LearnerConfig, engine: Engine, random: Random): Promise<Executable> {
  const agent = agentOf(config);
  return compile(agent.program, { ...engine, initialState: agent.initialState(random) });
}

/** The ONNX file of the update compiled for the CPU. */
export async function updateModel(config: LearnerConfig): Promise<Uint8Array> {
  const agent = agentOf(config);
  const executable = await compile(agent.program, { device: 'cpu', initialState: agent.initialState(new Random(1)) });
  await executable.dispose();
  return executable.model;
}

/** Gives the inputs of update `update`, from 1, on one of a few batches made before. */
export function updateInputs(
  config: LearnerConfig,
  specs: Executable['inputs'],
  random: Random,
): (update: number) => Record<string, Float32Array> {
  const batches = Array.from({ length: BATCHES }, () => {
    const inputs: Record<string, Float32Array> = {};
    for (const [input, { shape }] of Object.entries(specs))
      inputs[input] = random.fillNormal(new Float32Array(shape.reduce((product, n) => product * n, 1)));
    inputs.actions = inputs.actions!.map(Math.tanh);
    inputs.continues = inputs.continues!.map((x) => (x > 2.3 ? 0 : 1));
    if (inputs.absorbing) inputs.absorbing = inputs.absorbing.map((x) => (x > 2.3 ? 1 : 0));
    return inputs;
  });
  const adams = Object.entries(agentOf(config).adam);
  return (update) => {
    const inputs = batches[(update - 1) % BATCHES]!;
    for (const [adam, coefficients] of adams) {
      const { step, epsilon } = coefficients(update);
      inputs[adam]![0] = step;
      inputs[adam]![1] = epsilon;
    }
    return inputs;
  };
}

/** The compiled update alone, on batches and noise made before; with `together`, that many updates in one call. */
export async function programContender(
  name: string,
  config: LearnerConfig,
  engine: Engine,
  together = 1,
): Promise<Contender> {
  const random = Random.derive(1, 'bench');
  const executable = await compileUpdate(config, engine, random);
  const inputsOf = updateInputs(config, executable.inputs, random);
  let t = 0;
  const update = async (): Promise<unknown> => {
    if (together === 1) return executable.run(inputsOf(++t));
    const outputs = await executable.runAll(Array.from({ length: together }, () => inputsOf(++t)));
    return outputs.read();
  };
  await timed(20, update);
  return {
    name,
    versions: {},
    block: async (count) => (await timed(Math.ceil(count / together), update)).map((ms) => ms / together),
    close: () => executable.dispose(),
  };
}

/** onnxruntime's matrix product, milliseconds a GFLOP: whose library is fastest depends on the CPU. */
export async function sgemmContender(name: string, threads: number): Promise<Contender> {
  const size = 1024;
  const random = Random.derive(1, 'sgemm');
  const tf = await import('@tensorflow/tfjs');
  const spec = { shape: [size, size], dtype: 'float32' } as const;
  const executable = await compile(
    {
      name: 'sgemm',
      state: { b: spec },
      inputs: { a: spec },
      // The sum keeps the product inside: only its time and one number come out.
      step: ({ b }, { a }) => ({ state: { b: b! }, outputs: { sum: tf.sum(tf.matMul(a!, b!)) } }),
    },
    { device: 'cpu', initialState: { b: random.fillNormal(new Float32Array(size * size)) }, threads },
  );
  const a = random.fillNormal(new Float32Array(size * size));
  const gflop = (2 * size ** 3) / 1e9;
  return {
    name,
    versions: {},
    block: async (count) => (await timed(count, () => executable.run({ a }))).map((ms) => ms / gflop),
    close: () => executable.dispose(),
  };
}
