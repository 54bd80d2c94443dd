import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { IqLearnError, Random } from '#src/common/index.js';
import type { BoundDevice } from '#src/engine/executors/onnx-cuda/bound-executable.js';
import { BoundExecutable } from '#src/engine/executors/onnx-cuda/bound-executable.js';
import { checkCapturable } from '#src/engine/executors/onnx-cuda/capture.js';
import { loadKoffi, loadLibrary } from '#src/engine/executors/onnx-cuda/ffi.js';
import { cudaFolder, missingOn } from '#src/engine/executors/onnx-cuda/host.js';
import { boundCpu, compileBound } from '#src/engine/executors/onnx-cuda/onnx-cuda.js';
import { type ArrayRecord, compile, type Executable, type Program } from '#src/engine/index.js';
import { lowerProgram } from '#src/engine/lowering.js';
import { largestDifference } from './fixtures/compare.js';
import { sacInputs, sacState, sacUpdate } from './fixtures/sac-update.js';

// The binding of the CUDA executor, on onnxruntime's CPU provider: all of its code but the capture by the GPU.
let device: BoundDevice;
beforeAll(async () => {
  device = await boundCpu(1);
});

const vector = { shape: [3], dtype: 'float32' } as const;
const count = { shape: [2], dtype: 'int32' } as const;
const accumulate: Program = {
  name: 'accumulate',
  state: { s: vector, n: count },
  inputs: { x: vector, k: count },
  step: ({ s, n }, { x, k }) => ({
    state: { s: tf.add(s!, x!), n: tf.add(n!, k!) },
    outputs: { y: tf.mul(x!, 2), total: tf.add(n!, k!) },
  }),
};
const initialState = { s: Float32Array.of(1, 2, 3), n: Int32Array.of(4, 5) };
const inputs = (i: number): ArrayRecord => ({ x: Float32Array.of(i, 1, -i), k: Int32Array.of(1, i) });
const bound = (program: Program, state: ArrayRecord): Executable =>
  compileBound(program, device, { steps: 1, initialState: state });

async function failure(run: () => unknown): Promise<IqLearnError> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(IqLearnError);
    return error as IqLearnError;
  }
  throw new Error('nothing was thrown');
}

describe('a bound program', () => {
  it('takes inputs of bytes, one byte an element', async () => {
    const image = { shape: [5], dtype: 'uint8' } as const;
    const total: Program = {
      name: 'total',
      state: { sum: { shape: [], dtype: 'float32' } },
      inputs: { image, k: count },
      step: ({ sum }, given) => ({
        state: { sum: tf.add(sum!, tf.sum(given.image!)) },
        outputs: { half: tf.div(given.image!, 2), k: tf.add(given.k!, given.k!) },
      }),
    };
    const executable = bound(total, { sum: Float32Array.of(1) });
    for (const last of [3, 255]) {
      const outputs = await executable.run({ image: Uint8Array.of(0, 1, 2, 200, last), k: Int32Array.of(7, -7) });
      expect(outputs).toEqual({ half: Float32Array.of(0, 0.5, 1, 100, last / 2), k: Int32Array.of(14, -14) });
    }
    expect(executable.readState()).toEqual({ sum: Float32Array.of(1 + 206 + 458) });
    await executable.dispose();
  });

  it('advances the state, gives outputs, and reads single entries as copies', async () => {
    const executable = bound(accumulate, initialState);
    expect(await executable.run(inputs(10))).toEqual({
      y: Float32Array.of(20, 2, -20),
      total: Int32Array.of(5, 15),
    });
    const before = executable.readState(['n']);
    await executable.run(inputs(1));
    expect(before).toEqual({ n: Int32Array.of(5, 15) });
    expect(executable.readState()).toEqual({ s: Float32Array.of(12, 4, -8), n: Int32Array.of(6, 16) });
    expect(initialState.s).toEqual(Float32Array.of(1, 2, 3));
    await executable.dispose();
  });

  it('takes a state that is written, whole', async () => {
    const executable = bound(accumulate, initialState);
    await executable.run(inputs(1));
    executable.writeState(initialState);
    expect(executable.readState()).toEqual(initialState);
    expect((await failure(() => executable.writeState({ s: initialState.s }))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(() => executable.readState(['z']))).found).toBe("'z'");
    await executable.dispose();
  });

  it('makes many runs, whose outputs are fetched when they are read', async () => {
    const executable = bound(accumulate, initialState);
    const outputs = await executable.runAll([inputs(1), inputs(2), inputs(3)]);
    expect(outputs.runs).toBe(3);
    expect(outputs.read()).toEqual({ y: Float32Array.of(6, 2, -6), total: Int32Array.of(7, 11) });
    expect(outputs.read(0).y).toEqual(Float32Array.of(2, 2, -2));
    expect(outputs.read(1).total).toEqual(Int32Array.of(6, 8));
    for (const wrong of [-1, 3, 0.5]) expect((await failure(() => outputs.read(wrong))).code).toBe('INVALID_ARGUMENT');
    await executable.runAll([inputs(1), inputs(1), inputs(1), inputs(1)]);
    expect((await failure(() => outputs.read())).message).toContain('overwritten');
    expect((await executable.runAll([])).runs).toBe(0);
    await executable.dispose();
  });

  it('refuses inputs that do not fit, and keeps the state and the runs before', async () => {
    const executable = bound(accumulate, initialState);
    const short = await failure(() => executable.run({ ...inputs(1), x: new Float32Array(2) }));
    expect(short).toMatchObject({ code: 'INVALID_ARGUMENT', found: 'Float32Array of 2' });
    expect(executable.readState()).toEqual(initialState);
    await failure(() => executable.runAll([inputs(1), {}]));
    expect(executable.readState(['n'])).toEqual({ n: Int32Array.of(5, 6) });
    await executable.dispose();
  });

  it('says so when it is used after dispose', async () => {
    const executable = bound(accumulate, initialState);
    const outputs = await executable.runAll([inputs(1)]);
    await executable.dispose();
    await executable.dispose();
    for (const use of [
      () => executable.run(inputs(1)),
      () => executable.readState(),
      () => executable.writeState(initialState),
      () => outputs.read(),
    ])
      expect((await failure(use)).message).toContain('disposed');
  });
});

const sizes = { observation: 5, action: 2, hidden: 24, critics: 2, batch: 8 };

describe('a whole SAC update with two critics, bound', () => {
  it('has the bits of onnx-cpu where both are lowered alike', async () => {
    const program = sacUpdate(sizes);
    const state = sacState(sizes, 1);
    const mine = compileBound(program, device, { steps: 1, initialState: state }, 'dynamic');
    const reference = await compile(program, { device: 'cpu', initialState: state, threads: 1 });
    const random = new Random(2);
    for (let t = 1; t <= 10; t++) {
      const given = sacInputs(sizes, random, t);
      expect(await mine.run(given)).toEqual(await reference.run(given));
    }
    expect(mine.readState()).toEqual(reference.readState());
    await mine.dispose();
    await reference.dispose();
  });

  it('agrees with onnx-cpu to rounding with static shapes, unrolled or run by run', async () => {
    const program = sacUpdate(sizes);
    const state = sacState(sizes, 1);
    const mine = bound(program, state);
    const unrolled = compileBound(program, device, { steps: 4, initialState: state });
    const reference = await compile(program, { device: 'cpu', initialState: state, threads: 1 });
    const random = new Random(3);
    const batches = [1, 2, 3, 4].map((t) => sacInputs(sizes, random, t));
    const outputs = await mine.runAll(batches);
    for (const [k, batch] of batches.entries())
      expect(largestDifference(outputs.read(k), await reference.run(batch))).toBeLessThan(1e-5);
    expect(largestDifference(mine.readState(), reference.readState())).toBeLessThan(1e-5);
    const names = Object.keys(batches[0]!);
    await unrolled.run(
      Object.fromEntries(names.map((name) => [name, Float32Array.from(batches.flatMap((each) => [...each[name]!]))])),
    );
    expect(largestDifference(unrolled.readState(), mine.readState())).toBeLessThan(1e-6);
    for (const executable of [mine, unrolled, reference]) await executable.dispose();
  });
});

/** The gradient of the smaller of two critics with respect to their input, which the CPU makes of chosen rows. */
const smallestOfTwo: Program = {
  name: 'smallest of two',
  state: {},
  inputs: {
    x: { shape: [7, 3], dtype: 'float32' },
    w: { shape: [2, 3, 4], dtype: 'float32' },
    v: { shape: [2, 4, 1], dtype: 'float32' },
  },
  step: (_, { x, w, v }) => {
    const smallest = (given: tf.Tensor): tf.Tensor => {
      const q = tf.matMul(tf.relu(tf.matMul(tf.tile(tf.expandDims(given, 0), [2, 1, 1]), w!)), v!);
      const [first, second] = tf.split(q, 2, 0) as [tf.Tensor, tf.Tensor];
      return tf.sum(tf.minimum(first, second));
    };
    return { state: {}, outputs: { gradient: tf.grad(smallest)(x!) } };
  },
};

describe('what cannot be run', () => {
  it('is refused before it runs where rows are chosen by data, with the names of the nodes', async () => {
    const { model } = lowerProgram(smallestOfTwo, { steps: 1, shapes: 'dynamic' });
    const error = await failure(() => checkCapturable(model));
    expect(error.code).toBe('UNSUPPORTED');
    for (const node of ['NonZero_0', 'Gather_0', 'ScatterND_0']) expect(error.found).toContain(node);
    checkCapturable(lowerProgram(smallestOfTwo, { steps: 1, shapes: 'static' }).model);
    const gather: Program = {
      name: 'lookup',
      state: {},
      inputs: { table: vector, k: count },
      step: (_, { table, k }) => ({ state: {}, outputs: { y: tf.gather(table!, k as tf.Tensor1D) } }),
    };
    const lookup = await failure(() => bound(gather, {}));
    expect(lookup.code).toBe('UNSUPPORTED');
    expect(lookup.message).toContain('lookup cannot be captured in a CUDA graph');
    expect(lookup.found).toContain('Gather_0');
  });

  it('is a broken model, with the words of onnxruntime', async () => {
    const lowered = lowerProgram(accumulate, { steps: 1, shapes: 'static' });
    const options = { executor: 'test', state: accumulate.state, initialState };
    for (const model of [new Uint8Array(9).fill(7), lowered.model.slice(0, -40)]) {
      const error = await failure(() => new BoundExecutable(device, { ...lowered, model }, options));
      expect(error.code).toBe('CORRUPT_DATA');
      expect(error.found).not.toBe('');
    }
    const other = { ...lowered, inputs: { ...lowered.inputs, missing: vector } };
    expect((await failure(() => new BoundExecutable(device, other, options))).found).toContain('missing');
  });

  it('is a library that is not there, with the command that fetches it', async () => {
    const koffi = await loadKoffi();
    const error = await failure(() => loadLibrary(koffi, '/nowhere/libonnxruntime.so.1'));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('/nowhere/') });
    expect(error.remedy).toContain('setup-cuda.sh');
  });
});

describe('the device cuda', () => {
  const host = {
    platform: 'linux-x64',
    driver: true,
    onnxruntime: '1.30.0',
    folder: '/cuda',
    made: '1.30.0',
    koffi: undefined,
  };

  it('says what is missing, and what to do', () => {
    expect(missingOn(host)).toBeUndefined();
    const found = (change: object): string => missingOn({ ...host, ...change })!.found;
    expect(found({ platform: 'darwin-arm64' })).toContain('darwin-arm64');
    expect(found({ driver: false })).toBe('no NVIDIA driver');
    expect(found({ koffi: 'the package koffi does not load' })).toContain('koffi');
    expect(found({ made: undefined })).toContain('/cuda');
    const versions = missingOn({ ...host, made: '1.29.1' })!;
    expect(versions.found).toContain('1.29.1');
    expect(versions.found).toContain('1.30.0');
    expect(versions.remedy).toContain('setup-cuda.sh');
  });

  it('looks for its libraries where IQ_LEARN_CUDA says, else in the cache', () => {
    expect(cudaFolder({ IQ_LEARN_CUDA: '/opt/cuda' })).toBe('/opt/cuda');
    expect(cudaFolder({ XDG_CACHE_HOME: '/cache' })).toBe('/cache/iq_learn/cuda');
    expect(cudaFolder({})).toMatch(/\.cache\/iq_learn\/cuda$/);
  });
});

it('nothing is left after 1,000 programs were bound and disposed of', async () => {
  const lowered = lowerProgram(accumulate, { steps: 1, shapes: 'static' });
  const once = async (): Promise<void> => {
    const executable = new BoundExecutable(device, lowered, {
      executor: 'test',
      state: accumulate.state,
      initialState,
    });
    (await executable.runAll([inputs(1), inputs(2)])).read();
    await executable.dispose();
  };
  for (let i = 0; i < 200; i++) await once();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 1000; i++) await once();
  // A session left over takes at least 50 kB: a thousand of them 50 MB.
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(25);
});
