import * as tf from '@tensorflow/tfjs';
import { IqLearnError, type Random } from '../../common/index.js';
import { convolutionParts, convolvedNumbers, type ImageShape, imageNumbers } from './convolution.js';
import type { Part } from './part.js';

/**
 * How a network lies in its flat float32 vector: for each layer the weights [in, out], then the biases [1, out], after
 * the convolutions of the images that it sees;
 * with `stack` networks of the same shape side by side, [stack, in, out] and [stack, 1, out]. One vector per network
 * makes Adam, Polyak averaging and checkpoints one operation each.
 */
export interface Layout {
  readonly parts: readonly Part[];
  readonly size: number;
}

/**
 * The layout of a multilayer perceptron with these widths, input first. `stack` 0 gives unstacked (rank 2) parts. `images`
 * are those that the inputs begin with: they pass convolutions, and the first layer takes what these make of them.
 */
export function mlpLayout(inputsFirst: readonly number[], stack = 0, images: readonly ImageShape[] = []): Layout {
  const lead = stack > 0 ? [stack] : [];
  const parts = convolutionParts(images, lead);
  const widths = inputsFirst.with(0, inputsFirst[0]! - imageNumbers(images) + convolvedNumbers(images));
  const copies = Math.max(1, stack);
  for (let layer = 0; layer + 1 < widths.length; layer++) {
    const inputs = widths[layer]!;
    const outputs = widths[layer + 1]!;
    parts.push({
      name: `layer${layer}.weights`,
      shape: [...lead, inputs, outputs],
      size: copies * inputs * outputs,
      fanIn: inputs,
    });
    parts.push({ name: `layer${layer}.biases`, shape: [...lead, 1, outputs], size: copies * outputs, fanIn: inputs });
  }
  return { parts, size: parts.reduce((sum, part) => sum + part.size, 0) };
}

/** Initial values: uniform in ±1/√fan-in, weights and biases. */
export function initialParameters(layout: Layout, random: Random): Float32Array {
  const flat = new Float32Array(layout.size);
  let offset = 0;
  for (const part of layout.parts) {
    const bound = 1 / Math.sqrt(part.fanIn);
    for (let i = 0; i < part.size; i++) flat[offset + i] = random.uniform(-bound, bound);
    offset += part.size;
  }
  return flat;
}

/** flat [size] → the parts in their shapes. Differentiate with respect to these, never through the flat vector. */
export function splitParameters(flat: tf.Tensor, layout: Layout): tf.Tensor[] {
  const pieces = tf.split(
    flat as tf.Tensor1D,
    layout.parts.map((part) => part.size),
    0,
  );
  return layout.parts.map((part, i) => tf.reshape(pieces[i]!, [...part.shape]));
}

/** The inverse of {@link splitParameters}: tensors in the parts' shapes → flat [size]. */
export function joinParameters(parts: readonly tf.Tensor[]): tf.Tensor {
  return tf.concat1d(parts.map((part) => tf.reshape(part, [-1]) as tf.Tensor1D));
}

/** Throws MISMATCH when `flat` is not as long as the layout. */
export function checkLength(what: string, flat: ArrayLike<number>, layout: Layout): void {
  if (flat.length !== layout.size)
    throw new IqLearnError('MISMATCH', `${what} do not fit the network`, {
      found: `${flat.length} numbers`,
      expected: `${layout.size}`,
      remedy: 'use the settings the parameters were trained with',
    });
}
