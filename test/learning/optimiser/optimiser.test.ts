import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { adam, adamCoefficients } from '#src/learning/optimiser/adam.js';
import { gradientsOf } from '#src/learning/optimiser/gradients.js';
import { polyak } from '#src/learning/optimiser/polyak.js';
import { linearFall } from '#src/learning/optimiser/schedules.js';

/** Adam as Kingma and Ba print it (Algorithm 1), on one number in double precision. */
function publishedAdam(gradients: readonly number[], rate: number, beta1: number): number {
  let [p, m, v] = [1, 0, 0];
  gradients.forEach((gradient, i) => {
    const t = i + 1;
    m = beta1 * m + (1 - beta1) * gradient;
    v = 0.999 * v + 0.001 * gradient ** 2;
    p -= (rate * (m / (1 - beta1 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
  });
  return p;
}

describe('Adam', () => {
  const gradients = [0.5, -2, 1e-3, 4, -0.1, 0.3];

  it.each([0.9, 0.5, 0])('equals the published update with β₁ = %d', (beta1) => {
    let state = {
      parameters: tf.tensor1d([1]) as tf.Tensor,
      m: tf.tensor1d([0]) as tf.Tensor,
      v: tf.tensor1d([0]) as tf.Tensor,
    };
    gradients.forEach((gradient, i) => {
      const { step, epsilon } = adamCoefficients(i + 1, 0.01, beta1);
      state = adam(state, tf.tensor1d([gradient]), tf.tensor1d([step, epsilon]), beta1);
    });
    expect(state.parameters.dataSync()[0]).toBeCloseTo(publishedAdam(gradients, 0.01, beta1), 6);
  });

  it('makes its first step as long as the rate, whatever the size of the gradient', () => {
    const { step, epsilon } = adamCoefficients(1, 0.01);
    for (const size of [1e-3, 1, 1e3]) {
      const zero = tf.tensor1d([0]);
      const { parameters } = adam(
        { parameters: zero, m: zero, v: zero },
        tf.tensor1d([size]),
        tf.tensor1d([step, epsilon]),
      );
      expect(parameters.dataSync()[0]).toBeCloseTo(-0.01, 5);
    }
  });

  it('does not move with a rate of 0, so that an actor can wait for its critic', () => {
    expect(adamCoefficients(7, 0).step).toBe(0);
  });
});

describe('Polyak averaging', () => {
  it('moves by its rate towards the source, and takes it over with a rate of 1', () => {
    const [target, source] = [tf.tensor1d([0, 10]), tf.tensor1d([1, 20])];
    expect([...polyak(target, source, 0.25).dataSync()]).toEqual([0.25, 12.5]);
    expect([...polyak(target, source, 1).dataSync()]).toEqual([1, 20]);
  });
});

describe('a linear fall', () => {
  it('is 1 until its start, falls to the floor at its end, and stays there', () => {
    const fall = { start: 100, end: 200 };
    expect([1, 100, 150, 200, 1000].map((update) => linearFall(update, fall, 0.25))).toEqual([1, 1, 0.625, 0.25, 0.25]);
  });

  it('is constant with a floor of 1, and a step where it has no length', () => {
    expect(linearFall(50, { start: 0, end: 100 }, 1)).toBe(1);
    expect(linearFall(5, { start: 5, end: 5 }, 0.1)).toBeCloseTo(0.1, 12);
  });
});

describe('gradients with values beside the loss', () => {
  it('are those of the loss alone', () => {
    const [a, b] = [tf.tensor1d([3]), tf.tensor1d([5])];
    const { gradients, values } = gradientsOf([a, b], (parts) => ({
      loss: tf.sum(tf.mul(parts[0]!, parts[1]!)),
      seen: tf.mul(parts[0]!, 7),
    }));
    expect(gradients.map((gradient) => gradient.dataSync()[0])).toEqual([5, 3]);
    expect(values.loss.dataSync()[0]).toBe(15);
    expect(values.seen.dataSync()[0]).toBe(21);
  });
});
