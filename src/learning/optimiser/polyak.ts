import * as tf from '@tensorflow/tfjs';

/** Polyak averaging, an exponential moving average of parameters: target + rate · (source − target). */
export function polyak(target: tf.Tensor, source: tf.Tensor, rate: number): tf.Tensor {
  return tf.add(target, tf.mul(tf.sub(source, target), rate));
}
