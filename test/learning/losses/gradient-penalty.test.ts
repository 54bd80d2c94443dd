import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { gradientPenalty } from '#src/learning/losses/gradient-penalty.js';
import { perceptron } from '#src/learning/networks/mlp.js';
import { initialParameters, mlpLayout, splitParameters } from '#src/learning/networks/parameters.js';
import { evaluate } from '../support/evaluate.js';

const random = new Random(4);
const normals = (n: number): Float32Array => random.fillNormal(new Float32Array(n));
const [ROWS, WIDTH] = [6, 3];
const points = {
  expert: { shape: [ROWS, WIDTH], data: normals(ROWS * WIDTH) },
  policy: { shape: [ROWS, WIDTH], data: normals(ROWS * WIDTH) },
  mixing: { shape: [ROWS, 1], data: Float32Array.from({ length: ROWS }, () => random.uniform()) },
};

describe('the gradient penalty', () => {
  it('of a linear function is (‖w‖ − 1)², wherever it is taken, and is summed over critics', async () => {
    const weights = [0.3, -1.2, 2];
    const norm = Math.hypot(...weights);
    const { one, two } = await evaluate(points, ({ expert, policy, mixing }) => {
      const f = (x: tf.Tensor): tf.Tensor => tf.sum(tf.mul(x, tf.tensor1d(weights)), -1, true);
      return {
        one: tf.reshape(gradientPenalty(f, 1, expert!, policy!, mixing!), [1]),
        two: tf.reshape(gradientPenalty(f, 2, expert!, policy!, mixing!), [1]),
      };
    });
    expect(one![0]).toBeCloseTo((norm - 1) ** 2, 4);
    expect(two![0]).toBeCloseTo(2 * (norm - 1) ** 2, 4);
  });

  it.each([false, true])(
    'has the derivative by the parameters that differences give: second derivatives, layer normalisation %s',
    async (layerNorm) => {
      const layout = mlpLayout([WIDTH, 5, 4, 1], 2);
      const parameters = initialParameters(layout, new Random(8));
      const given = (values: Float32Array) => ({ ...points, parameters: { shape: [layout.size], data: values } });
      const penalty = (flat: tf.Tensor, { expert, policy, mixing }: Readonly<Record<string, tf.Tensor>>): tf.Tensor =>
        gradientPenalty((x) => perceptron(splitParameters(flat, layout), x, layerNorm), 2, expert!, policy!, mixing!);
      const penaltyAt = async (values: Float32Array): Promise<number> =>
        (
          await evaluate(given(values), (inputs) => ({
            value: tf.reshape(penalty(inputs.parameters!, inputs), [1]),
          }))
        ).value![0]!;
      const { slope } = await evaluate(given(parameters), (inputs) => ({
        slope: tf.grad((flat: tf.Tensor) => penalty(flat, inputs))(inputs.parameters!),
      }));
      const largest = Array.from(slope!, Math.abs)
        .map((size, i) => ({ size, i }))
        .sort((a, b) => b.size - a.size);
      // The steepest directions: there differences of float32 numbers say something.
      for (const { i } of largest.slice(0, 4)) {
        const step = 2e-3;
        const moved = (by: number): Float32Array => parameters.map((x, k) => (k === i ? x + by : x));
        const difference = ((await penaltyAt(moved(step))) - (await penaltyAt(moved(-step)))) / (2 * step);
        expect(Math.abs(difference - slope![i]!)).toBeLessThan(0.02 * largest[0]!.size);
      }
    },
  );

  it('takes unequal numbers of rows, and one row (test T8 of the derivation)', async () => {
    const { few } = await evaluate(
      { ...points, expert: { shape: [1, WIDTH], data: normals(WIDTH) } },
      ({ expert, policy, mixing }) => ({
        few: tf.reshape(
          gradientPenalty((x) => tf.sum(tf.square(x), -1, true), 1, expert!, policy!, mixing!),
          [1],
        ),
      }),
    );
    expect(Number.isFinite(few![0])).toBe(true);
  });
});
