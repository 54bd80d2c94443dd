import * as tf from '@tensorflow/tfjs';
import { IqLearnError, type Random } from '../common/index.js';

/** One array inside a flat parameter vector. */
export interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  /** Inputs of the unit this part belongs to: sets the range of its initial values. */
  readonly fanIn: number;
}

/**
 * How networks lie in their flat float32 vector: for each layer the weights [in, out] of every network, then the
 * biases [1, out] of every network. One vector makes Adam, Polyak averaging and checkpoints one operation each.
 */
export interface Layout {
  readonly parts: readonly Part[];
  readonly size: number;
}

/** The layout of `copies` multilayer perceptrons with these widths, input first. */
export function mlpLayout(widths: readonly number[], copies = 1): Layout {
  const parts: Part[] = [];
  for (let layer = 0; layer + 1 < widths.length; layer++) {
    const [inputs, outputs] = [widths[layer]!, widths[layer + 1]!];
    for (const [name, shape] of [
      ['weights', [inputs, outputs]],
      ['biases', [1, outputs]],
    ] as const) {
      const part = { name: `layer${layer}.${name}`, shape, size: shape[0] * shape[1], fanIn: inputs };
      for (let k = 0; k < copies; k++) parts.push(copies === 1 ? part : { ...part, name: `${part.name}.${k}` });
    }
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

/** Throws INTERNAL when `flat` is not as long as the layout. */
export function checkLength(what: string, flat: ArrayLike<number>, layout: Layout): void {
  if (flat.length !== layout.size)
    throw new IqLearnError('MISMATCH', `${what} do not fit the network`, {
      found: `${flat.length} numbers`,
      expected: `${layout.size}`,
      remedy: 'use the settings the parameters were trained with',
    });
}
