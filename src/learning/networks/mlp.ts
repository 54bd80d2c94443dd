import * as tf from '@tensorflow/tfjs';
import { layerNorm } from './layer-norm.js';

/**
 * A ReLU multilayer perceptron: input [..., rows, in] → [..., rows, out]; `parts` as `splitParameters` gives them. With
 * `normalised`, layer normalisation precedes every ReLU.
 */
export function perceptron(parts: readonly tf.Tensor[], input: tf.Tensor, normalised = false): tf.Tensor {
  let x = input;
  for (let i = 0; i < parts.length; i += 2) {
    x = tf.add(tf.matMul(x, parts[i]!), parts[i + 1]!);
    if (i + 2 < parts.length) x = tf.relu(normalised ? layerNorm(x) : x);
  }
  return x;
}
