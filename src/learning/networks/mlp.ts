import * as tf from '@tensorflow/tfjs';
import { convolved } from './convolution.js';
import { layerNorm } from './layer-norm.js';

/**
 * A ReLU multilayer perceptron: input [..., rows, in] → [..., rows, out]; `parts` as `splitParameters` gives them. Images
 * pass the convolutions among the parts first. With `normalised`, layer normalisation precedes every ReLU of the others.
 */
export function perceptron(all: readonly tf.Tensor[], input: tf.Tensor, normalised = false): tf.Tensor {
  const { parts, features } = convolved(all, input);
  let x = features;
  for (let i = 0; i < parts.length; i += 2) {
    x = tf.add(tf.matMul(x, parts[i]!), parts[i + 1]!);
    if (i + 2 < parts.length) x = tf.relu(normalised ? layerNorm(x) : x);
  }
  return x;
}
