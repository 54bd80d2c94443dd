import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import type { CpuExecutable } from '#src/engine/executors/onnx-cpu/cpu-executable.js';
import { nativeOnnxruntime } from '#src/engine/executors/onnx-cpu/native.js';
import { OnnxExecutable } from '#src/engine/executors/onnx-cpu/onnx-executable.js';
import { PacedSession } from '#src/engine/executors/onnx-cpu/paced-session.js';
import { loadOnnxruntime } from '#src/engine/executors/onnx-cpu/session.js';
import { StagedExecutable } from '#src/engine/executors/onnx-cpu/staged-executable.js';
import { type ArrayRecord, compile, type Program } from '#src/engine/index.js';
import { lowerInStages } from '#src/engine/lowering.js';
import { createAgent, learnerConfig } from '#src/learning/index.js';
import { sacInputs, sacState, sacUpdate } from './fixtures/sac-update.js';

const vector = (length: number) => ({ shape: [length], dtype: 'float32' }) as const;

/** Whether two records hold the same bits. */
function sameBits(found: ArrayRecord, wanted: ArrayRecord): boolean {
  const bytes = (array: ArrayRecord[string] | undefined) =>
    Buffer.from(array!.buffer, array!.byteOffset, array!.byteLength);
  const names = Object.keys(wanted);
  expect(Object.keys(found).sort()).toEqual(names.toSorted());
  return names.every((name) => bytes(found[name]).equals(bytes(wanted[name])));
}

/** The program as one graph on onnxruntime-node, as where koffi is not installed. */
async function asOneGraph(program: Program, initialState: ArrayRecord, threads: number): Promise<CpuExecutable> {
  const ort = await loadOnnxruntime();
  const { whole } = lowerInStages(program);
  const session = await PacedSession.create(ort, whole.model, { threads, spinning: false });
  return new OnnxExecutable(ort, session, { ...whole, state: program.state, initialState });
}

const sizes = { observation: 5, action: 2, hidden: 128, critics: 2, batch: 8 };
const sac = {
  name: 'two critics of which the smaller counts',
  program: sacUpdate(sizes),
  initialState: sacState(sizes, 1),
  inputs: (random: Random, t: number) => sacInputs(sizes, random, t),
};

const agent = createAgent(learnerConfig({ agent: 'iq-sac', hiddenSizes: [128, 128], batchSize: 8 }), {
  observation: 5,
  action: 2,
});
const recipe = {
  name: 'the defaults of iq-sac',
  program: agent.program,
  initialState: agent.initialState(new Random(1)),
  inputs: (random: Random, t: number): ArrayRecord => {
    const draw = ({ shape }: { readonly shape: readonly number[] }): Float32Array =>
      random.fillNormal(new Float32Array(shape.reduce((product, n) => product * n, 1)));
    const given = Object.entries(agent.program.inputs).map(([name, spec]) => [name, draw(spec)] as const);
    const flags = (threshold: number) => draw(agent.program.inputs.continues!).map((x) => (x > threshold ? 1 : 0));
    const adam = Object.entries(agent.adam).map(([name, at]) => {
      const { step, epsilon } = at(t);
      return [name, Float32Array.of(step, epsilon)] as const;
    });
    return { ...Object.fromEntries([...given, ...adam]), continues: flags(-2), absorbing: flags(2) };
  },
};

describe.each([sac, recipe])('an update with $name', ({ program, initialState, inputs }) => {
  it('is cut where its optimisers work on long vectors', () => {
    const { staged } = lowerInStages(program);
    expect(staged!.stages.map(({ kind }) => kind)).toEqual(['graph', 'kernel', 'graph', 'kernel']);
    for (const stage of staged!.stages)
      if (stage.kind === 'kernel') expect(stage.nodes.length).toBeGreaterThanOrEqual(11);
  });

  it.each([
    { threads: 1, spinning: false },
    { threads: 2, spinning: true },
  ])('gives the bits of the same update as one graph: %o', async (options) => {
    const staged = await compile(program, { device: 'cpu', initialState, ...options });
    expect(staged).toBeInstanceOf(StagedExecutable);
    const whole = await asOneGraph(program, initialState, options.threads);
    const random = new Random(3);
    for (let t = 1; t <= 3; t++) {
      const given = inputs(random, t);
      expect(sameBits(await staged.run(given), await whole.run(given))).toBe(true);
    }
    const state = staged.readState();
    expect(sameBits(state, whole.readState())).toBe(true);
    for (const name of Object.keys(initialState))
      expect(sameBits({ x: state[name]! }, { x: initialState[name]! }), name).toBe(false);
    for (const executable of [staged, whole]) await executable.dispose();
  });
});

describe('a program in stages', () => {
  const length = 16_389;
  const program: Program = {
    name: 'chain',
    state: { a: vector(length), b: vector(length) },
    inputs: { x: vector(length), c: vector(2) },
    step: ({ a, b }, { x, c }) => {
      const [rate, offset] = tf.split(c as tf.Tensor1D, 2) as [tf.Tensor, tf.Tensor];
      const mixed = tf.add(tf.mul(a!, 0.75), tf.mul(tf.square(x!), rate));
      const scaled = tf.div(x!, tf.add(tf.sqrt(mixed), offset));
      return { state: { a: mixed, b: tf.sub(b!, scaled) }, outputs: { mean: tf.mean(scaled), first: x!.slice(0, 3) } };
    },
  };
  const random = new Random(5);
  const draw = (size: number): Float32Array => new Float32Array(size).map(() => random.uniform(0.1, 2));
  const initialState = { a: draw(length), b: draw(length) };
  const start = (): Promise<CpuExecutable> => compile(program, { device: 'cpu', initialState, threads: 1 });
  const f = Math.fround;
  const next = ({ a, b }: ArrayRecord, { x, c }: ArrayRecord): ArrayRecord => {
    const mixed = Float32Array.from(a!, (value, i) => f(f(value * 0.75) + f(f(x![i]! * x![i]!) * c![0]!)));
    const step = Float32Array.from(x!, (value, i) => f(value / f(f(Math.sqrt(mixed[i]!)) + c![1]!)));
    return { a: mixed, b: Float32Array.from(b!, (value, i) => f(value - step[i]!)) };
  };

  it('may split parts of its vectors again: two agents whose parameters are halves of each', async () => {
    const { program: single } = recipe;
    const entries = Object.entries(single.state);
    const doubled: Program = {
      ...single,
      state: Object.fromEntries(entries.map(([name, { shape }]) => [name, vector(2 * shape[0]!)])),
      step: (state, batch) => {
        const halves = entries.map(([name]) => [name, tf.split(state[name]!, 2)] as const);
        const steps = [0, 1].map((i) =>
          single.step(Object.fromEntries(halves.map(([name, parts]) => [name, parts[i]!])), batch),
        );
        const joined = entries.map(([name]) => [name, tf.concat(steps.map(({ state: next }) => next[name]!))] as const);
        return { state: Object.fromEntries(joined), outputs: steps[1]!.outputs };
      },
    };
    const [first, second] = [1, 2].map((seed) => agent.initialState(new Random(seed)));
    const initial = Object.fromEntries(
      entries.map(([name]) => [name, Float32Array.from([...first![name]!, ...second![name]!])]),
    );
    const together = await compile(doubled, { device: 'cpu', initialState: initial, threads: 1 });
    expect(together).toBeInstanceOf(StagedExecutable);
    const alone = await compile(single, { device: 'cpu', initialState: second!, threads: 1 });
    const draws = new Random(3);
    for (let t = 1; t <= 3; t++) {
      const given = recipe.inputs(draws, t);
      expect(sameBits(await together.run(given), await alone.run(given))).toBe(true);
    }
    const halves = Object.entries(together.readState()).map(
      ([name, both]) => [name, both.slice(both.length / 2)] as const,
    );
    expect(sameBits(Object.fromEntries(halves), alone.readState())).toBe(true);
    for (const executable of [together, alone]) await executable.dispose();
  });

  it('computes every element as written, each operation rounded once, the last ones too', async () => {
    const executable = await start();
    expect(executable).toBeInstanceOf(StagedExecutable);
    let wanted: ArrayRecord = initialState;
    for (let run = 0; run < 3; run++) {
      const inputs = { x: draw(length), c: Float32Array.of(0.3, 1e-3) };
      const outputs = await executable.run(inputs);
      wanted = next(wanted, inputs);
      expect(sameBits(executable.readState(), wanted)).toBe(true);
      expect(outputs.first).toEqual(inputs.x.slice(0, 3));
    }
    await executable.dispose();
  });

  it('takes a state after any number of runs, gives copies, and keeps its state where inputs are refused', async () => {
    const executable = await start();
    const inputs = { x: draw(length), c: Float32Array.of(0.3, 1e-3) };
    for (let run = 1; run <= 2; run++) {
      await executable.run(inputs);
      executable.writeState(initialState);
      executable.readState().a!.fill(0);
      expect(sameBits(executable.readState(['a']), { a: initialState.a })).toBe(true);
      await executable.run(inputs);
      expect(sameBits(executable.readState(), next(initialState, inputs))).toBe(true);
    }
    await expect(executable.run({ ...inputs, c: Float32Array.of(1) })).rejects.toThrow('c');
    expect(sameBits(executable.readState(), next(initialState, inputs))).toBe(true);
    await executable.dispose();
  });

  it('frees the sessions of its first stages where a later one is refused', async () => {
    const native = (await nativeOnnxruntime())!;
    const { whole, staged } = lowerInStages(sac.program);
    const graphs = staged!.stages.filter(({ kind }) => kind === 'graph');
    const stages = staged!.stages.map((stage) =>
      stage === graphs.at(-1) ? { ...graphs.at(-1)!, model: Uint8Array.of(1, 2, 3) } : stage,
    ) as (typeof staged & object)['stages'];
    let [made, released] = [0, 0];
    const api = {
      ...native.api,
      CreateSessionFromArray: (...values: unknown[]) => {
        native.api.CreateSessionFromArray(...values);
        made++;
      },
      ReleaseSession: (...values: unknown[]) => {
        native.api.ReleaseSession(...values);
        released++;
      },
    };
    const lowered = { ...staged!, stages, model: whole.model, outputs: whole.outputs };
    const options = { threads: 1, spinning: [false], initialState: sac.initialState };
    const start = () => new StagedExecutable({ ...native, api }, sac.program, lowered, options);
    expect(start).toThrow(expect.objectContaining({ code: 'CORRUPT_DATA' }));
    expect([made, released]).toEqual([1, 1]);
    const whole2 = { ...lowered, stages: staged!.stages };
    const foreign = { ...options, initialState: { none: Float32Array.of(1) } };
    expect(() => new StagedExecutable({ ...native, api }, sac.program, whole2, foreign)).toThrow('state');
    expect([made, released]).toEqual([3, 3]);
  });

  it('keeps runs that overlap in order, and says so when it is used after dispose', async () => {
    const executable = await start();
    const many = Array.from({ length: 3 }, () => ({ x: draw(length), c: Float32Array.of(0.3, 1e-3) }));
    await Promise.all(many.map((inputs) => executable.run(inputs)));
    expect(sameBits(executable.readState(), many.reduce<ArrayRecord>(next, initialState))).toBe(true);
    await executable.dispose();
    await executable.dispose();
    await expect(executable.run(many[0]!)).rejects.toThrow('disposed');
    expect(() => executable.readState()).toThrow('disposed');
  });
});

describe('a program stays one graph', () => {
  const chain = (x: tf.Tensor, by: tf.Tensor, operations: number): tf.Tensor => {
    let y = x;
    for (let i = 0; i < operations; i++) y = i % 2 === 0 ? tf.mul(y, by) : tf.add(y, x);
    return y;
  };
  const staged = (length: number, operations: number, after = (y: tf.Tensor): tf.Tensor => y): unknown =>
    lowerInStages({
      name: 'chain',
      state: { x: vector(length) },
      inputs: { by: vector(1) },
      step: ({ x }, { by }) => ({ state: { x: x! }, outputs: { y: after(chain(x!, by!, operations)) } }),
    }).staged;

  it('where vectors are short, or there is little to do on them', () => {
    expect(staged(20_000, 8)).toBeDefined();
    expect(staged(10_000, 8)).toBeUndefined();
    expect(staged(20_000, 4)).toBeUndefined();
  });

  it('where operations are not exactly rounded everywhere', () => {
    const sine = (y: tf.Tensor): tf.Tensor => tf.sin(y);
    expect(staged(20_000, 5, sine)).toBeUndefined();
    expect(staged(20_000, 8, sine)).toBeDefined();
  });
});
