import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { IqLearnError, Random } from '#src/common/index.js';
import { loadOnnxruntime } from '#src/engine/executors/onnx-cpu/session.js';
import { compile, inspectModel, loadInference, type TensorRecord, traceInference } from '#src/engine/index.js';

const random = new Random(1);
const draw = (n: number): Float32Array => random.fillNormal(new Float32Array(n));
const [inputs, hidden, outputs] = [5, 16, 2];
const weights = { w1: draw(inputs * hidden), b1: draw(hidden), w2: draw(hidden * outputs), b2: draw(outputs) };
const flat = Float32Array.from([...weights.w1, ...weights.b1, ...weights.w2, ...weights.b2]);

/** tanh(W2 relu(W1 x + b1) + b2) from one flat vector, in plain numbers. */
function expected(x: Float32Array): Float32Array {
  const h = Array.from({ length: hidden }, (_, j) => {
    let sum = weights.b1[j]!;
    for (let i = 0; i < inputs; i++) sum += x[i]! * weights.w1[i * hidden + j]!;
    return Math.max(0, sum);
  });
  return Float32Array.from({ length: outputs }, (_, k) =>
    Math.tanh(h.reduce((sum, value, j) => sum + value * weights.w2[j * outputs + k]!, weights.b2[k]!)),
  );
}

const policy = ({ observation }: TensorRecord, { parameters }: TensorRecord): TensorRecord => {
  const [w1, b1, w2, b2] = tf.split(parameters!, [inputs * hidden, hidden, hidden * outputs, outputs]) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const h = tf.relu(tf.add(tf.matMul(observation!, tf.reshape(w1, [inputs, hidden])), b1));
  return { action: tf.tanh(tf.add(tf.matMul(h, tf.reshape(w2, [hidden, outputs])), b2)) };
};

const traced = (): Promise<Uint8Array> =>
  traceInference(policy, {
    name: 'policy',
    inputs: { observation: { shape: [1, inputs], dtype: 'float32' } },
    constants: { parameters: { spec: { shape: [flat.length], dtype: 'float32' }, data: flat } },
    metadata: { robot: 'rover', units: 'm/s' },
  });

async function failure(run: () => Promise<unknown>): Promise<IqLearnError> {
  const error: unknown = await run().then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(IqLearnError);
  return error as IqLearnError;
}

/** (image/255 · w) of an image of bytes and a scale. */
const bytesPolicy = ({ image, scale }: TensorRecord, { w }: TensorRecord): TensorRecord => ({
  action: tf.mul(tf.matMul(tf.reshape(tf.div(image!, 255), [1, 12]), w!), scale!),
});
const byteInputs = {
  image: { shape: [1, 2, 2, 3], dtype: 'uint8' },
  scale: { shape: [1, 2], dtype: 'float32' },
} as const;
const image = Uint8Array.from({ length: 12 }, (_, i) => (i * 67) % 256);

describe('an input of bytes', () => {
  const w = draw(24);
  const scale = Float32Array.of(2, -1);
  const wanted = [0, 1].map((k) => scale[k]! * image.reduce((sum, x, i) => sum + (x / 255) * w[2 * i + k]!, 0));

  it('is an input of bytes in the file, and numbers from 0 to 255 in the function', async () => {
    const bytes = await traceInference(bytesPolicy, {
      name: 'bytes',
      inputs: byteInputs,
      constants: { w: { spec: { shape: [12, 2], dtype: 'float32' }, data: w } },
    });
    expect(inspectModel(bytes).inputs).toContainEqual({ name: 'image', dtype: 'uint8', shape: [1, 2, 2, 3] });
    const model = await loadInference(bytes);
    expect(model.inputs).toEqual(byteInputs);
    const { action } = await model.run({ image, scale });
    for (const k of [0, 1]) expect(action![k]).toBeCloseTo(wanted[k]!, 5);
    const refused = await failure(() => model.run({ image: Float32Array.from(image), scale }));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', expected: expect.stringMatching(/^Uint8Array of 12/) });
    await model.dispose();
  });

  it.each(['cpu', 'wasm'] as const)(
    'is given to a program on the device %s, one for each unrolled step',
    async (device) => {
      const executable = await compile(
        {
          name: 'bytes',
          state: { w: { shape: [12, 2], dtype: 'float32' } },
          inputs: byteInputs,
          step: ({ w: weights }, given) => ({
            state: { w: tf.add(weights!, 0) },
            outputs: bytesPolicy(given, { w: weights! }),
          }),
        },
        { device, initialState: { w }, unroll: 2 },
      );
      const { action } = await executable.run({
        image: Uint8Array.of(...image, ...new Uint8Array(12)),
        scale: Float32Array.of(...scale, ...scale),
      });
      for (const k of [0, 1]) expect(action![k]).toBeCloseTo(wanted[k]!, 5);
      expect([...action!.slice(2)].map(Math.abs)).toEqual([0, 0]);
      await executable.dispose();
    },
  );
});

describe('an inference file', () => {
  it('computes the function, with its names, shapes and metadata', async () => {
    const model = await loadInference(await traced());
    expect(model.name).toBe('policy');
    expect(model.inputs).toEqual({ observation: { shape: [1, inputs], dtype: 'float32' } });
    expect(model.outputs).toEqual({ action: { shape: [1, outputs], dtype: 'float32' } });
    expect(model.metadata).toEqual({ robot: 'rover', units: 'm/s' });
    for (let i = 0; i < 20; i++) {
      const observation = draw(inputs);
      const { action } = await model.run({ observation });
      action!.forEach((value, k) => {
        expect(value).toBeCloseTo(expected(observation)[k]!, 5);
      });
    }
    await model.dispose();
  });

  it('gives results that stay, also of runs that overlap', async () => {
    const model = await loadInference(await traced());
    const observations = Array.from({ length: 5 }, () => draw(inputs));
    const results = await Promise.all(observations.map((observation) => model.run({ observation })));
    results.forEach(({ action }, i) => {
      expect(action![0]).toBeCloseTo(expected(observations[i]!)[0]!, 5);
    });
    await model.dispose();
  });

  it('holds the weights as separate initializers and nothing that could have been computed before', async () => {
    const summary = inspectModel(await traced());
    expect(summary.parameters).toBe(flat.length);
    expect(summary.initializers.filter(({ dtype }) => dtype === 'float32').map(({ shape }) => shape)).toEqual([
      [inputs, hidden],
      [hidden],
      [hidden, outputs],
      [outputs],
    ]);
    expect(summary.operators).toEqual({ Gemm: 2, Relu: 1, Tanh: 1 });
    expect(summary.nodes.map(({ op }) => op)).toEqual(['Gemm', 'Relu', 'Gemm', 'Tanh']);
    expect(summary.flops).toBe(2 * inputs * hidden + hidden + 2 * hidden * outputs + outputs);
    expect(summary.opset).toBeGreaterThanOrEqual(18);
    expect(summary.metadata.robot).toBe('rover');
  });

  it('is the same bytes for the same function', async () => {
    expect(Buffer.from(await traced()).equals(Buffer.from(await traced()))).toBe(true);
  });

  it('checks the arrays and refuses to run after dispose', async () => {
    const model = await loadInference(await traced());
    const wrong = await failure(() => model.run({ observation: new Float32Array(inputs + 1) }));
    expect(wrong.code).toBe('INVALID_ARGUMENT');
    expect(wrong.message).toContain("'observation'");
    await model.dispose();
    await model.dispose();
    expect((await failure(() => model.run({ observation: new Float32Array(inputs) }))).message).toContain('disposed');
  });

  it('that is truncated, empty or something else is CORRUPT_DATA', async () => {
    const bytes = await traced();
    const noise = Uint8Array.from({ length: 500 }, () => random.integer(256));
    for (const bad of [bytes.slice(0, bytes.length / 2), bytes.slice(0, 10), new Uint8Array(0), noise]) {
      expect((await failure(() => loadInference(bad))).code).toBe('CORRUPT_DATA');
      expect(() => inspectModel(bad)).toThrow(IqLearnError);
    }
  });

  it('refuses one name for an input and an output', async () => {
    const error = await failure(() =>
      traceInference(({ x }) => ({ x: tf.neg(x!) }), {
        name: 'same',
        inputs: { x: { shape: [1], dtype: 'float32' } },
        constants: {},
      }),
    );
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', found: "'x'" });
  });

  it('refuses constants that do not fit', async () => {
    const error = await failure(() =>
      traceInference(policy, {
        name: 'short',
        inputs: { observation: { shape: [1, inputs], dtype: 'float32' } },
        constants: { parameters: { spec: { shape: [flat.length], dtype: 'float32' }, data: flat.slice(1) } },
      }),
    );
    expect(error.message).toContain("'parameters'");
  });
});

it('an onnxruntime that does not load is UNAVAILABLE, with the remedy', async () => {
  const broken = await failure(() =>
    loadOnnxruntime(() => Promise.reject(new Error('libonnxruntime.so.1: not found'))),
  );
  expect(broken.code).toBe('UNAVAILABLE');
  expect(broken.found).toContain('libonnxruntime.so.1');
  expect(broken.remedy).toContain('npm ci');
});
