import * as tf from '@tensorflow/tfjs';

/** Keeps the division finite where all units of a layer are equal. */
const EPSILON = 1e-5;

/**
 * Layer normalisation (Ba et al. 2016) over the last axis, without learned scale and shift: every row gets mean 0 and
 * variance 1. In a critic it bounds how fast Q can grow away from the data, which is what keeps IQ-Learn stable where the
 * policy leaves the demonstrations.
 */
export function layerNorm(x: tf.Tensor): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, EPSILON)));
}
