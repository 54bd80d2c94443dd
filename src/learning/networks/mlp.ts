import * as tf from '@tensorflow/tfjs';

/** A ReLU multilayer perceptron: input [..., rows, in] → [..., rows, out]; `parts` as `splitParameters` gives them. */
export function perceptron(parts: readonly tf.Tensor[], input: tf.Tensor): tf.Tensor {
  let x = input;
  for (let i = 0; i < parts.length; i += 2) {
    x = tf.add(tf.matMul(x, parts[i]!), parts[i + 1]!);
    if (i + 2 < parts.length) x = tf.relu(x);
  }
  return x;
}
