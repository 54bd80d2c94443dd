import * as tf from '@tensorflow/tfjs';
import { perceptron } from './mlp.js';

/** Repeats an input for every one of the stacked critics: [rows, n] → [critics, rows, n]. */
function stackedInput(input: tf.Tensor, critics: number): tf.Tensor {
  const one = tf.expandDims(input, 0);
  return critics === 1 ? one : tf.tile(one, [critics, 1, 1]);
}

/** Q(s, a) of stacked critics for continuous actions: observations [rows, o], actions [rows, a] → [critics, rows, 1]. */
export function actionValues(
  parts: readonly tf.Tensor[],
  critics: number,
  observations: tf.Tensor,
  actions: tf.Tensor,
): tf.Tensor {
  return perceptron(parts, stackedInput(tf.concat([observations, actions], 1), critics));
}

/** Q(s, ·) of stacked critics for discrete actions: observations [rows, o] → [critics, rows, actions]. */
export function allActionValues(parts: readonly tf.Tensor[], critics: number, observations: tf.Tensor): tf.Tensor {
  return perceptron(parts, stackedInput(observations, critics));
}

/** V(s) = T log Σ_a exp(Q(s, a)/T), the soft maximum over discrete actions: [..., actions] → [..., 1]. */
export function softMaximum(q: tf.Tensor, temperature: number): tf.Tensor {
  return tf.mul(tf.logSumExp(tf.div(q, temperature), -1, true), temperature);
}

/** The smallest value over the critics, [critics, rows, 1] → [rows, 1]. */
export function smallest(q: tf.Tensor): tf.Tensor {
  const [critics, rows] = q.shape as [number, number, number];
  if (critics === 1) return tf.reshape(q, [rows, 1]);
  const [first, second] = tf.split(q, 2, 0) as [tf.Tensor, tf.Tensor];
  return tf.reshape(tf.minimum(first, second), [rows, 1]);
}
