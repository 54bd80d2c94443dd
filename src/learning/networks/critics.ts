import * as tf from '@tensorflow/tfjs';
import { perceptron } from './mlp.js';

/** How stacked critics are built and read. */
export interface CriticForm {
  /** Number of critics. */
  readonly critics: number;
  /** Whether layer normalisation precedes every ReLU. */
  readonly layerNorm: boolean;
  /** How the values of several critics become one. */
  readonly criticReduction: 'minimum' | 'mean';
}

/** Repeats an input for every one of the stacked critics: [rows, n] → [critics, rows, n]. */
function stackedInput(input: tf.Tensor, critics: number): tf.Tensor {
  const one = tf.expandDims(input, 0);
  return critics === 1 ? one : tf.tile(one, [critics, 1, 1]);
}

/** Q(s, a) of stacked critics for continuous actions: observations [rows, o], actions [rows, a] → [critics, rows, 1]. */
export function actionValues(
  parts: readonly tf.Tensor[],
  { critics, layerNorm }: CriticForm,
  observations: tf.Tensor,
  actions: tf.Tensor,
): tf.Tensor {
  return perceptron(parts, stackedInput(tf.concat([observations, actions], 1), critics), layerNorm);
}

/** Q(s, ·) of stacked critics for discrete actions: observations [rows, o] → [critics, rows, actions]. */
export function allActionValues(
  parts: readonly tf.Tensor[],
  { critics, layerNorm }: Omit<CriticForm, 'criticReduction'>,
  observations: tf.Tensor,
): tf.Tensor {
  return perceptron(parts, stackedInput(observations, critics), layerNorm);
}

/** The largest entry of each row, [..., n] → [..., 1], as a constant: no gradient flows through it. */
const largest = tf.customGrad((x) => ({
  value: tf.max(x as tf.Tensor, -1, true),
  gradFunc: () => tf.zerosLike(x as tf.Tensor),
}));

/**
 * V(s) = T log Σ_a exp(Q(s, a)/T), the soft maximum over discrete actions: [..., actions] → [..., 1]. The largest
 * exponent is taken out of the sum so that it cannot overflow. It cancels, so it needs no gradient; that of tf.logSumExp
 * has one, which has no derivative of its own, and the gradient penalty differentiates twice.
 */
export function softMaximum(q: tf.Tensor, temperature: number): tf.Tensor {
  const exponents = tf.div(q, temperature);
  const shift = largest(exponents);
  const sum = tf.sum(tf.exp(tf.sub(exponents, shift)), -1, true);
  return tf.mul(tf.add(tf.log(sum), shift), temperature);
}

/** One value of several critics, their minimum or mean: [critics, rows, 1] → [rows, 1]. */
export function overCritics(q: tf.Tensor, { criticReduction }: Pick<CriticForm, 'criticReduction'>): tf.Tensor {
  const [critics, rows] = q.shape as [number, number, number];
  if (critics === 1) return tf.reshape(q, [rows, 1]);
  if (criticReduction === 'mean') return tf.mean(q, 0);
  const each = tf.split(q, critics, 0);
  return tf.reshape(
    each.reduce((least, one) => tf.minimum(least, one)),
    [rows, 1],
  );
}
