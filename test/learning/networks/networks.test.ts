import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { actionValues, allActionValues, overCritics, softMaximum } from '#src/learning/networks/critics.js';
import { layerNorm } from '#src/learning/networks/layer-norm.js';
import { perceptron } from '#src/learning/networks/mlp.js';
import { initialParameters, joinParameters, mlpLayout, splitParameters } from '#src/learning/networks/parameters.js';
import { logProbability, policyGaussian, sampleAction } from '#src/learning/networks/squashed-gaussian.js';

const numbers = (x: tf.Tensor): number[] => [...x.dataSync()];

describe('parameters in one vector', () => {
  it('come back as they were, layer by layer, one network or several side by side', () => {
    for (const stack of [0, 2]) {
      const layout = mlpLayout([3, 4, 1], stack);
      expect(layout.size).toBe(Math.max(1, stack) * (3 * 4 + 4 + 4 * 1 + 1));
      const flat = initialParameters(layout, new Random(1));
      const parts = splitParameters(tf.tensor1d(flat), layout);
      expect(parts.map(({ shape }) => shape)).toEqual(layout.parts.map(({ shape }) => [...shape]));
      expect(numbers(joinParameters(parts))).toEqual([...flat]);
    }
  });

  it('begin within ±1/√inputs of their unit', () => {
    const layout = mlpLayout([100, 50, 2]);
    const flat = initialParameters(layout, new Random(2));
    const first = flat.subarray(0, 100 * 50);
    expect(Math.max(...first.map(Math.abs))).toBeLessThanOrEqual(0.1);
    expect(Math.max(...first.map(Math.abs))).toBeGreaterThan(0.09);
  });
});

describe('layer normalisation', () => {
  it('gives every row mean 0 and variance 1, whatever its scale and offset', () => {
    const rows = tf.tensor2d([
      [1, 2, 3, 6],
      [100, 200, 300, 600],
    ]);
    const [first, second] = tf.split(layerNorm(rows), 2, 0) as [tf.Tensor, tf.Tensor];
    expect(tf.mean(first).dataSync()[0]).toBeCloseTo(0, 6);
    expect(tf.mean(tf.square(first)).dataSync()[0]).toBeCloseTo(1, 4);
    numbers(second).forEach((value, i) => {
      expect(value).toBeCloseTo(numbers(first)[i]!, 4);
    });
  });

  it('is finite where all units of a row are equal', () => {
    expect(numbers(layerNorm(tf.ones([1, 4])))).toEqual([0, 0, 0, 0]);
  });

  it('has the gradient of its parts, and the second one', () => {
    const random = new Random(5);
    const drawn = (...shape: [number, number]) =>
      tf.tensor2d(random.fillNormal(new Float32Array(shape[0] * shape[1])), shape);
    const [x, weights] = [drawn(3, 6), drawn(3, 6)];
    const byParts = (rows: tf.Tensor): tf.Tensor => {
      const centred = tf.sub(rows, tf.mean(rows, -1, true));
      return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5)));
    };
    const first = (norm: (rows: tf.Tensor) => tf.Tensor) =>
      tf.grad((rows: tf.Tensor) => tf.sum(tf.mul(tf.square(norm(rows)), weights)));
    // Of the length of the gradient, as a gradient penalty has it.
    const second = (norm: (rows: tf.Tensor) => tf.Tensor) =>
      tf.grad((rows: tf.Tensor) => tf.sum(tf.square(first(norm)(rows))));
    for (const gradient of [first, second]) {
      const wanted = numbers(gradient(byParts)(x));
      expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.1);
      numbers(gradient(layerNorm)(x)).forEach((value, i) => {
        expect(value).toBeCloseTo(wanted[i]!, 3);
      });
    }
  });

  it('bounds what a perceptron says far away from its data', () => {
    const layout = mlpLayout([2, 32, 32, 1]);
    const parts = splitParameters(tf.tensor1d(initialParameters(layout, new Random(3))), layout);
    const at = (distance: number, normalised: boolean): number =>
      Math.abs(numbers(perceptron(parts, tf.tensor2d([[distance, -distance]]), normalised))[0]!);
    expect(at(1e4, false)).toBeGreaterThan(100);
    expect(at(1e4, true)).toBeLessThan(10);
  });
});

describe('critics', () => {
  it('are stacked networks that see the same rows and answer on their own', () => {
    const form = { critics: 2, layerNorm: false, criticReduction: 'minimum' } as const;
    const layout = mlpLayout([3, 8, 1], 2);
    const flat = initialParameters(layout, new Random(4));
    const parts = splitParameters(tf.tensor1d(flat), layout);
    const [states, actions] = [
      tf.tensor2d([
        [0.1, -0.2],
        [1, 2],
      ]),
      tf.tensor2d([[0.5], [-0.5]]),
    ];
    const q = actionValues(parts, form, states, actions);
    expect(q.shape).toEqual([2, 2, 1]);
    const [one, two] = tf.split(q, 2, 0).map(numbers) as [number[], number[]];
    expect(one).not.toEqual(two);
    expect(numbers(overCritics(q, form))).toEqual(one.map((value, i) => Math.min(value, two[i]!)));
    numbers(overCritics(q, { criticReduction: 'mean' })).forEach((value, i) => {
      expect(value).toBeCloseTo((one[i]! + two[i]!) / 2, 6);
    });
  });

  it('of discrete actions have a soft maximum between the largest value and that plus T log n', () => {
    const layout = mlpLayout([2, 8, 4], 1);
    const parts = splitParameters(tf.tensor1d(initialParameters(layout, new Random(5))), layout);
    const q = allActionValues(parts, { critics: 1, layerNorm: true }, tf.tensor2d([[0.3, 0.7]]));
    const largest = Math.max(...numbers(q));
    const soft = numbers(softMaximum(q, 0.1))[0]!;
    expect(soft).toBeGreaterThanOrEqual(largest);
    expect(soft).toBeLessThanOrEqual(largest + 0.1 * Math.log(4) + 1e-6);
    expect(numbers(softMaximum(q, 1e-4))[0]).toBeCloseTo(largest, 3);
  });
});

describe('a squashed Gaussian', () => {
  const gaussian = { mean: tf.tensor2d([[0.4, -1.2]]), logStd: tf.tensor2d([[-0.5, 0.3]]) };

  it('has a density that adds up to 1 over its actions', () => {
    const one = { mean: tf.tensor2d([[0.4]]), logStd: tf.tensor2d([[-0.5]]) };
    const n = 4000;
    const actions = Float32Array.from({ length: n }, (_, i) => -1 + (2 * (i + 0.5)) / n);
    const many = { mean: tf.tile(one.mean, [n, 1]), logStd: tf.tile(one.logStd, [n, 1]) };
    const densities = tf.exp(logProbability(many, tf.tensor2d(actions, [n, 1])));
    expect((tf.sum(densities).dataSync()[0]! * 2) / n).toBeCloseTo(1, 3);
  });

  it('says the same log-probability of an action that it samples and of that action given to it', () => {
    const { action, logProbability: sampled } = sampleAction(gaussian, tf.tensor2d([[0.7, -0.3]]));
    expect(numbers(logProbability(gaussian, action))[0]).toBeCloseTo(numbers(sampled)[0]!, 4);
    expect(numbers(sampleAction(gaussian, tf.zeros([1, 2])).action)[0]).toBeCloseTo(Math.tanh(0.4), 6);
  });

  it('stays finite where tanh is at its end', () => {
    const { logProbability: value } = sampleAction(gaussian, tf.tensor2d([[40, -40]]));
    expect(Number.isFinite(numbers(value)[0])).toBe(true);
  });

  it('squashes log σ into its range, whatever the network says', () => {
    const layout = mlpLayout([1, 4, 2]);
    const parts = splitParameters(tf.tensor1d(new Float32Array(layout.size).fill(50)), layout);
    for (const [x, edge] of [
      [1e3, 2],
      [-1e3, 2],
    ] as const)
      expect(numbers(policyGaussian(parts, tf.tensor2d([[x]]), [-5, 2]).logStd)[0]).toBeCloseTo(edge, 5);
    const zero = splitParameters(tf.tensor1d(new Float32Array(layout.size)), layout);
    expect(numbers(policyGaussian(zero, tf.tensor2d([[1]]), [-5, 2]).logStd)[0]).toBeCloseTo(-1.5, 6);
  });
});
