import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { type ArrayRecord, compile, type Program, type TensorRecord } from '#src/engine/index.js';
import { supportedKernels } from '#src/engine/trace/symbolic-backend.js';
import { type Case, cases, casesWithoutWasm } from './cases.js';

type Draw = { readonly shapes: readonly number[][]; readonly parameter: number };

/** The operation and, where it has one, the gradient of a weighted sum of its result. */
function programOf(test: Case, { shapes, parameter }: Draw): Program {
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { shape, dtype: 'float32' as const }]));
  const results = (x: TensorRecord): TensorRecord => {
    const operands = shapes.map((_, i) => x[`x${i}`]!);
    const y = test.apply(operands, parameter);
    if (!test.gradient) return { y };
    // Weights that differ, so that a gradient at the wrong place is seen.
    const weights = tf.reshape(tf.tensor1d(Array.from({ length: y.size }, (_, i) => Math.cos(i + 1))), y.shape);
    const weighted = (...xs: tf.Tensor[]): tf.Scalar => tf.sum(tf.mul(test.apply(xs, parameter), weights));
    const gradients = tf.grads(weighted)(operands);
    return { y, ...Object.fromEntries(gradients.map((gradient, i) => [`gradient${i}`, gradient])) };
  };
  return { name: test.name, state: {}, inputs, step: (_, x) => ({ state: {}, outputs: results(x) }) };
}

function operandsOf({ range }: Case, { shapes }: Draw, seed: number): ArrayRecord {
  const random = new Random(seed);
  const draw = (shape: readonly number[]): Float32Array =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform(...range));
  return Object.fromEntries(shapes.map((shape, i) => [`x${i}`, draw(shape)]));
}

async function runOnce(program: Program, inputs: ArrayRecord, device: 'cpu' | 'wasm'): Promise<ArrayRecord> {
  const executable = await compile(program, { device, initialState: {}, threads: 1 });
  try {
    return await executable.run(inputs);
  } finally {
    await executable.dispose();
  }
}

/** The same on tfjs' plain JavaScript backend. */
async function runPlain(program: Program, inputs: ArrayRecord): Promise<ArrayRecord> {
  await tf.setBackend('cpu');
  return tf.tidy(() => {
    const given = Object.entries(program.inputs).map(([name, { shape }]) => [
      name,
      tf.tensor(inputs[name]!, [...shape]),
    ]);
    const { outputs } = program.step({}, Object.fromEntries(given));
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.dataSync<'float32'>()]));
  });
}

function expectClose(found: ArrayRecord, wanted: ArrayRecord, tolerance: number): void {
  expect(Object.keys(found)).toEqual(Object.keys(wanted));
  for (const [name, values] of Object.entries(wanted)) {
    expect(found[name]!.length).toBe(values.length);
    const scale = Math.max(1, ...Array.from(values, Math.abs).filter(Number.isFinite));
    values.forEach((value, i) => {
      const difference = Math.abs(found[name]![i]! - value);
      if (!Object.is(found[name]![i], value) && !(difference <= tolerance * scale))
        throw new Error(`${name}[${i}]: ${found[name]![i]} instead of ${value}`);
    });
  }
}

const runsEach = { numRuns: 6, seed: 20261121 };

describe('every supported kernel agrees with eager tfjs, forward and gradient', () => {
  it.each(cases.map((test) => [test.name, test] as const))('%s', async (_, test) => {
    await fc.assert(
      fc.asyncProperty(test.arbitrary, fc.nat({ max: 1e6 }), async (draw, seed) => {
        const program = programOf(test, draw);
        const inputs = operandsOf(test, draw, seed);
        expectClose(await runOnce(program, inputs, 'cpu'), await runOnce(program, inputs, 'wasm'), test.tolerance);
      }),
      runsEach,
    );
  });

  it.each(casesWithoutWasm.map((test) => [test.name, test] as const))('%s', async (_, test) => {
    await fc.assert(
      fc.asyncProperty(test.arbitrary, fc.nat({ max: 1e6 }), async (draw, seed) => {
        const program = programOf(test, draw);
        const inputs = operandsOf(test, draw, seed);
        expectClose(await runOnce(program, inputs, 'cpu'), await runPlain(program, inputs), test.tolerance);
      }),
      runsEach,
    );
  });

  it('covers every kernel that supportedKernels() names, and each case runs the kernels it claims', async () => {
    await tf.setBackend('cpu');
    const covered = new Set<string>();
    for (const test of [...cases, ...casesWithoutWasm]) {
      const ran = new Set<string>();
      for (const draw of fc.sample(test.arbitrary, { numRuns: 3, seed: 7 })) {
        const program = programOf(test, draw);
        const inputs = operandsOf(test, draw, 1);
        const profile = await tf.profile(() => {
          tf.tidy(() => {
            const given = draw.shapes.map((shape, i) => [`x${i}`, tf.tensor(inputs[`x${i}`]!, shape)]);
            program.step({}, Object.fromEntries(given));
          });
          return tf.scalar(0);
        });
        for (const name of profile.kernelNames) ran.add(name);
      }
      expect([...ran], test.name).toEqual(expect.arrayContaining([...test.kernels]));
      for (const name of test.kernels) covered.add(name);
    }
    expect([...covered].sort()).toEqual(supportedKernels());
  });
});
