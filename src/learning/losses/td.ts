import * as tf from '@tensorflow/tfjs';

/**
 * The critic's loss of SAC: half the mean squared temporal difference Q(s, a) − (R + y), with y = γ (1 − d) V(s′),
 * summed over critics. q [critics, rows, 1]; rewards and y [rows, 1] → scalar.
 */
export function temporalDifferenceLoss(q: tf.Tensor, rewards: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const error = tf.sub(q, tf.expandDims(tf.add(rewards, y), 0));
  return tf.mul(tf.sum(tf.square(error)), 0.5 / q.shape[1]!);
}
