import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { SpinningChoice } from '#src/engine/executors/onnx-cpu/threads.js';
import { compile, inspectModel, type Program } from '#src/engine/index.js';

const vector = { shape: [3], dtype: 'float32' } as const;
const program = (step: Program['step']): Program => ({
  name: 'test',
  state: { s: vector },
  inputs: { x: vector },
  step,
});
const accumulate = program((s, x) => ({ state: { s: tf.add(s.s!, x.x!) }, outputs: { y: tf.mul(x.x!, 2) } }));
const initialState = { s: Float32Array.of(1, 2, 3) };
const x = Float32Array.of(10, 20, 30);

async function failure(run: () => unknown): Promise<IqLearnError> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(IqLearnError);
    return error as IqLearnError;
  }
  throw new Error('nothing was thrown');
}
const compiling = (step: Program['step']): Promise<IqLearnError> =>
  failure(() => compile(program(step), { device: 'cpu', initialState, threads: 1 }));

describe.each(['cpu', 'wasm'] as const)('a program on the device %s', (device) => {
  const options = { device, initialState, threads: 1 } as const;

  it('advances the state and gives outputs', async () => {
    const executable = await compile(accumulate, options);
    expect(await executable.run({ x })).toEqual({ y: Float32Array.of(20, 40, 60) });
    await executable.run({ x });
    expect(executable.readState()).toEqual({ s: Float32Array.of(21, 42, 63) });
    expect(initialState.s).toEqual(Float32Array.of(1, 2, 3));
    await executable.dispose();
  });

  it('reads single entries of the state, as copies', async () => {
    const vector = { shape: [2], dtype: 'float32' } as const;
    const executable = await compile(
      {
        name: 'two',
        state: { a: vector, b: vector },
        inputs: {},
        step: ({ a, b }) => ({ state: { a: tf.add(a!, 1), b: b! }, outputs: {} }),
      },
      { ...options, initialState: { a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) } },
    );
    const before = executable.readState(['a']);
    await executable.run({});
    await executable.run({});
    expect(before).toEqual({ a: Float32Array.of(1, 2) });
    expect(executable.readState(['a'])).toEqual({ a: Float32Array.of(3, 4) });
    expect(executable.readState([])).toEqual({});
    const error = await failure(() => executable.readState(['a', 'toString']));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', found: "'toString'" });
    await executable.dispose();
  });

  it('keeps runs that overlap in order', async () => {
    const executable = await compile(accumulate, options);
    await Promise.all([executable.run({ x }), executable.run({ x }), executable.run({ x })]);
    expect(executable.readState()).toEqual({ s: Float32Array.of(31, 62, 93) });
    await executable.dispose();
  });

  it('returns entries unchanged, twice, constant, and of type bool', async () => {
    const executable = await compile(
      program((s, { x: given }) => ({
        state: { s: s.s! },
        outputs: { a: given!, b: given!, c: tf.tensor1d([5, 6]), d: tf.greater(given!, 15), e: s.s! },
      })),
      options,
    );
    expect(await executable.run({ x })).toEqual({
      a: x,
      b: x,
      c: Float32Array.of(5, 6),
      d: Int32Array.of(0, 1, 1),
      e: initialState.s,
    });
    expect(executable.readState()).toEqual(initialState);
    await executable.dispose();
  });

  it('takes tensors made outside the program as constants', async () => {
    await tf.setBackend('cpu');
    const outside = tf.tensor1d([1, 10, 100]);
    const executable = await compile(
      program((s, { x: given }) => ({ state: { s: s.s! }, outputs: { y: tf.mul(given!, outside) } })),
      options,
    );
    expect((await executable.run({ x })).y).toEqual(Float32Array.of(10, 200, 3000));
    expect(tf.getBackend()).toBe('cpu');
    expect(Array.from(outside.dataSync())).toEqual([1, 10, 100]);
    await executable.dispose();
  });

  it('checks what it is given and names the entry', async () => {
    const executable = await compile(accumulate, options);
    const short = await failure(() => executable.run({ x: new Float32Array(2) }));
    expect(short).toMatchObject({ code: 'INVALID_ARGUMENT', found: 'Float32Array of 2' });
    expect(short.message).toContain("'x'");
    expect(short.expected).toContain('Float32Array of 3');
    expect((await failure(() => executable.run({}))).found).toBe('nothing');
    expect((await failure(() => executable.run({ x: new Int32Array(3) }))).found).toBe('Int32Array of 3');
    expect((await failure(() => executable.run({ x, z: x }))).found).toBe("'z'");
    expect((await failure(() => executable.writeState({ s: new Float32Array(4) }))).code).toBe('INVALID_ARGUMENT');
    expect(executable.readState()).toEqual(initialState);
    expect((await executable.run({ x })).y).toBeDefined();
    await executable.dispose();
  });

  it('says so when it is used after dispose', async () => {
    const executable = await compile(accumulate, options);
    await executable.dispose();
    await executable.dispose();
    for (const use of [
      () => executable.run({ x }),
      () => executable.readState(),
      () => executable.writeState(initialState),
    ]) {
      const error = await failure(use);
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('disposed');
    }
  });

  it('refuses a state that does not fit and an unroll that is no count', async () => {
    const wrong = await failure(() => compile(accumulate, { ...options, initialState: { s: new Float32Array(1) } }));
    expect(wrong.message).toContain("'s'");
    for (const unroll of [0, 1.5]) {
      const error = await failure(() => compile(accumulate, { ...options, unroll }));
      expect(error.code).toBe('INVALID_ARGUMENT');
    }
  });

  it('refuses a program that returns another state than it declares', async () => {
    const missing = await failure(() =>
      compile(
        program(() => ({ state: {}, outputs: {} })),
        options,
      ),
    );
    expect(missing).toMatchObject({ code: 'INVALID_ARGUMENT', found: "nothing for 's'", expected: 'float32[3]' });
    const reshaped = await failure(() =>
      compile(
        program((s) => ({ state: { s: tf.reshape(s.s!, [3, 1]) }, outputs: {} })),
        options,
      ),
    );
    expect(reshaped.found).toBe("float32[3,1] for 's'");
    const extra = await failure(() =>
      compile(
        program((s) => ({ state: { s: s.s!, t: s.s! }, outputs: {} })),
        options,
      ),
    );
    expect(extra.found).toBe("float32[3] for 't'");
  });
});

describe('tracing', () => {
  it('names an unknown kernel and the line that needs it', async () => {
    const error = await compiling((s) => ({ state: { s: tf.cumsum(s.s!) }, outputs: {} }));
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.found).toContain('Cumsum');
    expect(error.found).toMatch(/compile\.test\.ts:\d+:\d+/);
  });

  it('refuses to read data, naming the line', async () => {
    const error = await compiling((s) => ({ state: { s: tf.mul(s.s!, s.s!.dataSync()[0]!) }, outputs: {} }));
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.found).toMatch(/compile\.test\.ts:\d+:\d+/);
    expect((await compiling((s) => ({ state: s, outputs: { y: tf.scalar(s.s!.arraySync() as number) } }))).code).toBe(
      'UNSUPPORTED',
    );
  });

  it('gives the former backend back, after success, failure and where none was chosen', async () => {
    const step: Program['step'] = (s) => ({ state: s, outputs: {} });
    await tf.setBackend('cpu');
    await (await compile(program(step), { device: 'cpu', initialState, threads: 1 })).dispose();
    expect(tf.getBackend()).toBe('cpu');
    await compiling(() => {
      expect(tf.getBackend()).not.toBe('cpu');
      throw new IqLearnError('INTERNAL', 'on purpose');
    });
    expect(tf.getBackend()).toBe('cpu');
    expect(Array.from(tf.add(tf.tensor1d([1]), 1).dataSync())).toEqual([2]);

    const engine = tf.engine() as unknown as { backendName: string | null; backendInstance: unknown };
    const chosen = { name: engine.backendName, instance: engine.backendInstance };
    [engine.backendName, engine.backendInstance] = [null, null];
    await (await compile(program(step), { device: 'cpu', initialState, threads: 1 })).dispose();
    expect([engine.backendName, engine.backendInstance]).toEqual([null, null]);
    [engine.backendName, engine.backendInstance] = [chosen.name, chosen.instance];
  });

  it('passes errors of the program on as they are', async () => {
    const thrown = new RangeError('mine');
    const run = compile(
      program(() => {
        throw thrown;
      }),
      { device: 'cpu', initialState },
    );
    await expect(run).rejects.toBe(thrown);
  });

  it('leaves no tensors behind', async () => {
    const before = tf.memory().numTensors;
    await (await compile(accumulate, { device: 'cpu', initialState, threads: 1 })).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('threads', () => {
  it('are the number of cores where they are not given', async () => {
    const executable = await compile(accumulate, { device: 'cpu', initialState });
    expect(executable.threads.threads).toBe(Math.min(availableParallelism(), 8));
    await executable.dispose();
  });

  it('spin or wait in turn within one state', async () => {
    const executable = await compile(accumulate, { device: 'cpu', initialState, threads: 2 });
    const fixed = await compile(accumulate, { device: 'cpu', initialState, threads: 2, spinning: false });
    const kinds = new Set<boolean>();
    for (let i = 0; i < 20; i++) {
      kinds.add(executable.threads.spinning);
      const x = Float32Array.of(i, 1, -i);
      expect(await executable.run({ x })).toEqual(await fixed.run({ x }));
    }
    expect(kinds.size).toBe(2);
    expect(executable.readState()).toEqual(fixed.readState());
    await executable.dispose();
    await fixed.dispose();
  });

  it('spin where that is faster, and are tried again when runs become slower', () => {
    const choice = new SpinningChoice();
    let [spinning, waiting] = [10, 14];
    const runs = (count: number): boolean[] =>
      Array.from({ length: count }, () => {
        const kind = choice.spinning;
        choice.took(kind ? spinning : waiting);
        return kind;
      });
    expect(new Set(runs(12)).size).toBe(2); // the trial
    expect(runs(100)).not.toContain(false);
    [spinning, waiting] = [40, 20]; // others work
    runs(40);
    expect(runs(100)).not.toContain(true);
    waiting = 28; // more of them: a few trials, that change nothing
    expect(runs(400).filter(Boolean).length).toBeLessThan(20);
    [spinning, waiting] = [10, 14]; // they stop, which waiting threads notice only by trying
    expect(runs(600)).toContain(true);
    expect(runs(100).filter(Boolean).length).toBeGreaterThan(80);
  });

  it('are taken as given', async () => {
    const executable = await compile(accumulate, { device: 'cpu', initialState, threads: 2, spinning: false });
    expect(executable.threads).toEqual({ threads: 2, spinning: false });
    await executable.dispose();
  });
});

it('a tensorflow backend that does not load is UNAVAILABLE, with the packages to install', async () => {
  const before = process.env.IQ_LEARN_TENSORFLOW;
  process.env.IQ_LEARN_TENSORFLOW = '/nowhere';
  try {
    const error = await failure(() => compile(accumulate, { device: 'tensorflow', initialState }));
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.expected).toContain('@tensorflow/tfjs-node');
  } finally {
    if (before === undefined) delete process.env.IQ_LEARN_TENSORFLOW;
    else process.env.IQ_LEARN_TENSORFLOW = before;
  }
});

it('the onnx executor shows its model', async () => {
  const executable = await compile(accumulate, { device: 'cpu', initialState, threads: 1 });
  const summary = inspectModel(executable.model);
  expect(summary.inputs.map(({ name }) => name)).toEqual(['state/s', 'input/x']);
  expect(summary.outputs.map(({ name }) => name)).toEqual(['next/s', 'output/y']);
  await executable.dispose();
});
