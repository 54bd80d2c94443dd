import * as tf from '@tensorflow/tfjs';
import {
  type Block,
  checkObservationSpec,
  describeObservation,
  entryNames,
  IqLearnError,
  type ObservationSpec,
  shapeSize,
} from '../../common/index.js';
import type { TensorRecord } from '../../engine/index.js';
import type { Layout, Part } from './parameters.js';

/** The tensors of an observation's blocks in the order of the blocks, each [rows, …shape]. */
export type Blocks = readonly tf.Tensor[];

/** How blocks of one kind become features that a perceptron takes. */
export interface BlockEncoder {
  /** The blocks that it takes, in words for messages. */
  readonly takes: string;
  accepts(block: Block): boolean;
  /** Features of one observation. */
  width(block: Block): number;
  /** Its parameters; they lie in front of the perceptron's in the network's flat vector. */
  parts(block: Block): readonly Part[];
  /** [rows, …shape] → [rows, width]; `parts` in their shapes. Bytes with normalisation `unit` come divided by 255. */
  encode(parts: readonly tf.Tensor[], block: tf.Tensor): tf.Tensor;
}

/** A vector of numbers is its own features. */
const vector: BlockEncoder = {
  takes: 'float32 vectors',
  accepts: ({ dtype, shape }) => dtype === 'float32' && shape.length === 1,
  width: ({ shape }) => shapeSize(shape),
  parts: () => [],
  encode: (_, block) => block,
};

/** All encoders. A new one is a file beside this one and an entry here; the first that accepts a block encodes it. */
export const encoders: readonly BlockEncoder[] = [vector];

/**
 * How the networks of an agent take observations: each block through its encoder, the features side by side in the
 * order of the blocks. One vector passes unchanged.
 */
export class ObservationEncoder {
  readonly spec: ObservationSpec;
  /** Features of one observation: the inputs of the perceptron. */
  readonly width: number;
  readonly #encoders: readonly BlockEncoder[];
  readonly #parts: readonly (readonly Part[])[];

  /** Throws UNSUPPORTED, naming the block, where no encoder takes it. */
  constructor(spec: ObservationSpec, known: readonly BlockEncoder[] = encoders) {
    this.spec = checkObservationSpec(spec);
    this.#encoders = spec.map((block) => {
      const encoder = known.find((candidate) => candidate.accepts(block));
      if (encoder !== undefined) return encoder;
      throw new IqLearnError('UNSUPPORTED', `no network takes the block ${block.name} of the observation`, {
        found: describeObservation([block]),
        expected: known.map(({ takes }) => takes).join(', '),
        remedy: 'leave the block out, or add an encoder for it to src/learning/networks/ (encoders.ts lists them)',
      });
    });
    this.width = spec.reduce((sum, block, i) => sum + this.#encoders[i]!.width(block), 0);
    this.#parts = spec.map((block, i) => this.#encoders[i]!.parts(block));
  }

  /** The layout of a network: the encoders' parameters, then those of its perceptron. */
  layout(perceptron: Layout): Layout {
    const parts = [...this.#parts.flat(), ...perceptron.parts];
    return { parts, size: parts.reduce((sum, { size }) => sum + size, 0) };
  }

  /** The blocks among the inputs of a program or a policy, whose names begin with `prefix` (see `entryNames`). */
  blocks(prefix: string, inputs: TensorRecord): Blocks {
    return entryNames(prefix, this.spec).map((name) => inputs[name]!);
  }

  /** The features [rows, width] of observations, and the parameters that are left for the perceptron. */
  encode(
    parts: readonly tf.Tensor[],
    blocks: Blocks,
  ): { readonly features: tf.Tensor; readonly rest: readonly tf.Tensor[] } {
    let used = 0;
    const features = blocks.map((block, i) => {
      const own = parts.slice(used, used + this.#parts[i]!.length);
      used += own.length;
      return this.#encoders[i]!.encode(own, this.spec[i]!.normalise === 'unit' ? tf.div(block, 255) : block);
    });
    return { features: features.length === 1 ? features[0]! : tf.concat(features, 1), rest: parts.slice(used) };
  }
}

/** The rows of two batches of observations, one below the other. */
export function concatBlocks(above: Blocks, below: Blocks): Blocks {
  return above.map((block, i) => tf.concat([block, below[i]!], 0));
}
