import * as tf from '@tensorflow/tfjs';
import type { Part } from './part.js';

/** An image among the features of an observation: bytes row by row, channels last, its sides multiples of {@link SIDE}. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Filters of the convolutions that every image passes, one after the other. Each halves height and width. */
const FILTERS = [16, 32, 32] as const;
/** The sides of an image are multiples of this, so that every convolution halves them exactly. */
export const SIDE = 2 ** FILTERS.length;
/** Every filter sees 4 × 4 places, 2 apart, with a border of zeros: 16 numbers of each channel. */
const PLACES = 16;

/** Numbers that the images take at the beginning of the features. */
export const imageNumbers = (images: readonly ImageShape[]): number =>
  images.reduce((sum, { height, width, channels }) => sum + height * width * channels, 0);

/** Numbers that the convolutions make of the images. */
export const convolvedNumbers = (images: readonly ImageShape[]): number =>
  images.reduce((sum, { height, width }) => sum + (height / SIDE) * (width / SIDE) * FILTERS.at(-1)!, 0);

/**
 * The parts of a network before its fully connected layers: for each image and convolution the filters
 * [4, 4, channels, filters] and a bias for each place and filter [height, width, filters], which also tells the network
 * where in the image something is. `lead` is the shape of the stack.
 */
export function convolutionParts(images: readonly ImageShape[], lead: readonly number[]): Part[] {
  const copies = lead.reduce((product, n) => product * n, 1);
  return images.flatMap((image, i) => {
    let { height, width, channels } = image;
    return FILTERS.flatMap((filters, layer): Part[] => {
      [height, width] = [height / 2, width / 2];
      const fanIn = PLACES * channels;
      const name = `image${i}.convolution${layer}`;
      const places = height * width * filters;
      const made = [
        { name: `${name}.filters`, shape: [...lead, 4, 4, channels, filters], size: copies * fanIn * filters, fanIn },
        { name: `${name}.biases`, shape: [...lead, height, width, filters], size: copies * places, fanIn },
      ];
      channels = filters;
      return made;
    });
  });
}

/** What filters see: images [n, h, w, c] → [n · h/2 · w/2, 16 c], the places of a filter row by row, channels last. */
function patches(images: tf.Tensor4D): tf.Tensor {
  const [n, height, width, channels] = images.shape;
  const padded = tf.pad(images, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  const [h, w] = [height / 2 + 1, width / 2 + 1];
  // Blocks of 2 × 2 places become channels; a filter of 4 × 4 places sees 2 × 2 neighbouring blocks.
  const rows = tf.reshape(padded, [n * h, 2, w, 2 * channels]);
  const blocks = tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [n, h, w, 4 * channels]);
  const shifted = [0, 1].flatMap((y) =>
    [0, 1].map((x) => tf.slice(blocks, [0, y, x, 0], [n, h - 1, w - 1, 4 * channels])),
  );
  return tf.reshape(tf.concat(shifted, 3), [n * (h - 1) * (w - 1), PLACES * channels]);
}

/** Filters [..., 4, 4, c, outputs] in the order of the numbers of a patch: [..., 16 c, outputs]. */
function asBlocks(filters: tf.Tensor): tf.Tensor {
  const lead = filters.shape.slice(0, -4);
  const [channels, outputs] = filters.shape.slice(-2) as [number, number];
  const split = tf.reshape(filters, [...lead, 2, 2, 2, 2 * channels * outputs]);
  const rank = split.shape.length;
  const perm = split.shape.map((_, axis) => (axis === rank - 3 ? rank - 2 : axis === rank - 2 ? rank - 3 : axis));
  return tf.reshape(tf.transpose(split, perm), [...lead, PLACES * channels, outputs]);
}

/** One convolution and its ReLU: [n, h, w, c] → [n, h/2, w/2, filters], n rows of each network of the stack. */
function convolution(images: tf.Tensor4D, filters: tf.Tensor, biases: tf.Tensor): tf.Tensor4D {
  const lead = filters.shape.slice(0, -4);
  const [n, , , channels] = images.shape;
  const [height, width, outputs] = biases.shape.slice(-3) as [number, number, number];
  const each = n / lead.reduce((product, stacked) => product * stacked, 1);
  const seen = tf.reshape(patches(images), [...lead, each * height * width, PLACES * channels]);
  const sums = tf.matMul(seen, asBlocks(filters));
  const places = tf.reshape(sums, [...lead, each, height * width * outputs]);
  const x = tf.relu(tf.add(places, tf.reshape(biases, [...lead, 1, height * width * outputs])));
  return tf.reshape(x, [n, height, width, outputs]);
}

/**
 * Lets the images at the beginning of the features pass the convolutions that stand at the beginning of the parts of a
 * network: features [..., rows, numbers] → [..., rows, fewer], and the parts that are left. The parts say which images
 * there are; where there are none, nothing changes.
 */
export function convolved(
  parts: readonly tf.Tensor[],
  features: tf.Tensor,
): { readonly parts: readonly tf.Tensor[]; readonly features: tf.Tensor } {
  const lead = features.shape.slice(0, -1);
  const n = lead.reduce((product, rows) => product * rows, 1);
  const last = lead.length;
  const made: tf.Tensor[] = [];
  let [at, from] = [0, 0];
  const cut = (size: number): tf.Tensor => {
    const begin = [...lead.map(() => 0), from];
    from += size;
    return tf.slice(features, begin, [...lead, size]);
  };
  while (parts[at]!.shape.length === last + 3) {
    const channels = parts[at]!.shape.at(-2)!;
    const [height, width] = parts[at + 1]!.shape.slice(-3).map((half) => 2 * half) as [number, number];
    let x = tf.reshape(cut(height * width * channels), [n, height, width, channels]) as tf.Tensor4D;
    for (const end = at + 2 * FILTERS.length; at < end; at += 2) x = convolution(x, parts[at]!, parts[at + 1]!);
    made.push(tf.reshape(x, [...lead, x.size / n]));
  }
  if (made.length === 0) return { parts, features };
  const rest = features.shape[last]! - from;
  return { parts: parts.slice(at), features: tf.concat(rest > 0 ? [...made, cut(rest)] : made, last) };
}
