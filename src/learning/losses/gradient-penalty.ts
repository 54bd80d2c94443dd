import * as tf from '@tensorflow/tfjs';

/** Keeps the derivative of the square root finite where a gradient is 0. */
const EPSILON = 1e-12;

/**
 * The gradient penalty of Gulrajani et al. 2017, E[(‖∇ₓ f(x)‖₂ − 1)²] on points between two sets of inputs [rows, n],
 * x = u·x_E + (1 − u)·x_π with u ~ U(0, 1) [rows, 1]: it holds f to be 1-Lipschitz between expert and policy.
 * f: [critics, rows, n] → [critics, rows, 1], every row on its own. Means over rows, summed over critics. Where the sets
 * have different numbers of rows, the rest of the larger one is left out.
 */
export function gradientPenalty(
  f: (x: tf.Tensor) => tf.Tensor,
  critics: number,
  expert: tf.Tensor,
  policy: tf.Tensor,
  mixing: tf.Tensor,
): tf.Tensor {
  const rows = Math.min(expert.shape[0]!, policy.shape[0]!, mixing.shape[0]!);
  const first = (x: tf.Tensor): tf.Tensor => (x.shape[0] === rows ? x : tf.slice(x, 0, rows));
  const u = first(mixing);
  const points = tf.add(tf.mul(u, first(expert)), tf.mul(tf.sub(1, u), first(policy)));
  const stacked = tf.tile(tf.expandDims(points, 0), [critics, 1, 1]);
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(f(x)))(stacked);
  const norm = tf.sqrt(tf.add(tf.sum(tf.square(gradient), -1), EPSILON));
  return tf.mul(tf.sum(tf.square(tf.sub(norm, 1))), 1 / rows);
}
