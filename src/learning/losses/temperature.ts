import * as tf from '@tensorflow/tfjs';

/**
 * The gradient with respect to log T of the temperature's loss T (H(π) − H̄): the temperature T rises while the entropy
 * H(π) is below its target H̄, and falls above it. temperature [1], entropy scalar → [1].
 */
export function temperatureGradient(temperature: tf.Tensor, entropy: tf.Tensor, targetEntropy: number): tf.Tensor {
  return tf.mul(temperature, tf.reshape(tf.sub(entropy, targetEntropy), [1]));
}
