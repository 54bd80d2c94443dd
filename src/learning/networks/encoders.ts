import * as tf from '@tensorflow/tfjs';
import {
  type Block,
  blockInputs,
  checkObservationSpec,
  describeObservation,
  entryNames,
  IqLearnError,
  type ObservationSpec,
  shapeSize,
} from '../../common/index.js';
import type { TensorRecord, TensorSpec } from '../../engine/index.js';
import type { Agent } from '../agent.js';
import type { Normalisation } from '../data/normalisation.js';
import { type ImageShape, SIDE } from './convolution.js';

/** How blocks of one kind become features, the vector that an agent's networks take. */
export interface BlockEncoder {
  /** The blocks that it takes, in words for messages. */
  readonly takes: string;
  accepts(block: Block): boolean;
  /** Features of one observation. */
  width(block: Block): number;
  /** [rows, …shape] → [rows, width]. */
  encode(values: tf.Tensor, block: Block): tf.Tensor;
  /** What the features are an image of, where networks are to take them through convolutions. */
  image?(block: Block): ImageShape;
}

/** A vector of numbers is its own features. */
const vector: BlockEncoder = {
  takes: 'float32 vectors',
  accepts: ({ dtype, shape }) => dtype === 'float32' && shape.length === 1,
  width: ({ shape }) => shapeSize(shape),
  encode: (values) => values,
};

const scaled = (bytes: tf.Tensor, { normalise }: Block): tf.Tensor => {
  const numbers = tf.cast(bytes, 'float32');
  return normalise === 'unit' ? tf.div(numbers, 255) : numbers;
};

/** An image of fewer rows or columns is taken as it is. */
const LEAST_SIDE = 32;
/** Larger images make every update too slow and the replay buffer too large. */
const MOST_PIXELS = 256 * 256;
const upToSide = (n: number): number => SIDE * Math.ceil(n / SIDE);
const imageOf = ({ shape }: Block): ImageShape => {
  const [height, width, channels] = shape as [number, number, number];
  return { height: upToSide(height), width: upToSide(width), channels };
};

/** An image that passes convolutions in every network, with zeros at its right and lower edge up to the next such side. */
const image: BlockEncoder = {
  takes: `images (uint8) of at least ${LEAST_SIDE} by ${LEAST_SIDE} and at most ${MOST_PIXELS} pixels (256 by 256)`,
  accepts: ({ dtype, shape }) =>
    dtype === 'uint8' &&
    shape.length === 3 &&
    Math.min(shape[0]!, shape[1]!) >= LEAST_SIDE &&
    shape[0]! * shape[1]! <= MOST_PIXELS,
  width: (block) => {
    const { height, width, channels } = imageOf(block);
    return height * width * channels;
  },
  encode: (values, block) => {
    const { height, width, channels } = imageOf(block);
    const [y, x] = [height - block.shape[0]!, width - block.shape[1]!];
    const numbers = scaled(values, block) as tf.Tensor4D;
    const whole =
      y + x === 0
        ? numbers
        : tf.pad(numbers, [
            [0, 0],
            [0, y],
            [0, x],
            [0, 0],
          ]);
    return tf.reshape(whole, [-1, height * width * channels]);
  },
  image: imageOf,
};

/** More numbers than this make the first layer of every network too wide to learn and to deploy. */
const MOST_BYTES = 16_384;

/** Bytes that are features each: very small images, and whatever else is said in bytes. */
const flatBytes: BlockEncoder = {
  takes: `other uint8 blocks of at most ${MOST_BYTES} numbers`,
  accepts: ({ dtype, shape }) => dtype === 'uint8' && shapeSize(shape) <= MOST_BYTES,
  width: ({ shape }) => shapeSize(shape),
  encode: (values, block) => tf.reshape(scaled(values, block), [-1, shapeSize(block.shape)]),
};

/**
 * All encoders; the first that accepts a block encodes it. A new one is an entry here. An encoder has no parameters: what
 * is learned about images is in the networks, whose first parts are the convolutions (convolution.ts).
 */
const encoders: readonly BlockEncoder[] = [vector, image, flatBytes];

/** The inputs of an agent's program that are observations. */
const OBSERVATIONS = ['observations', 'nextObservations', 'initialObservations'] as const;

/** How an agent takes observations: each block through its encoder, the features side by side, images first. */
export class ObservationEncoder {
  readonly spec: ObservationSpec;
  /** Features of one observation: the size of the observation that the agent is created for. */
  readonly width: number;
  /** The images that the features begin with. */
  readonly images: readonly ImageShape[];
  readonly #encoders: readonly BlockEncoder[];
  /** The blocks' places in the spec, in the order of the features. */
  readonly #order: readonly number[];

  /** Throws UNSUPPORTED, naming the block, where no encoder takes it. */
  constructor(spec: ObservationSpec) {
    this.spec = checkObservationSpec(spec);
    this.#encoders = spec.map((block) => {
      const encoder = encoders.find((candidate) => candidate.accepts(block));
      if (encoder !== undefined) return encoder;
      throw new IqLearnError('UNSUPPORTED', `no network takes the block ${block.name} of the observation`, {
        found: describeObservation([block]),
        expected: encoders.map(({ takes }) => takes).join(', '),
        remedy: 'leave the block out, or add an encoder for it to src/learning/networks/ (encoders.ts lists them)',
      });
    });
    this.width = spec.reduce((sum, block, i) => sum + this.#encoders[i]!.width(block), 0);
    const isImage = (i: number): boolean => this.#encoders[i]!.image !== undefined;
    const places = spec.map((_, i) => i);
    this.#order = [...places.filter(isImage), ...places.filter((i) => !isImage(i))];
    this.images = places.filter(isImage).map((i) => this.#encoders[i]!.image!(spec[i]!));
  }

  /** The features [rows, width] of the observations among `inputs` whose names begin with `prefix` (see `entryNames`). */
  features(prefix: string, inputs: TensorRecord): tf.Tensor {
    const names = entryNames(prefix, this.spec);
    const features = this.#order.map((i) => this.#encoders[i]!.encode(inputs[names[i]!]!, this.spec[i]!));
    return features.length === 1 ? features[0]! : tf.concat(features, 1);
  }

  /** The normalisation of the features: that of the numbers of float32 blocks, and none of what encoders make of bytes. */
  #normalisation({ mean, scale }: Normalisation): Normalisation {
    const wide = { mean: new Float32Array(this.width), scale: new Float32Array(this.width).fill(1) };
    let [from, at] = [0, 0];
    // Images are not normalised, and the others keep their order.
    for (const i of this.#order) {
      const block = this.spec[i]!;
      const width = this.#encoders[i]!.width(block);
      if (block.dtype === 'float32') {
        wide.mean.set(mean.subarray(from, from + width), at);
        wide.scale.set(scale.subarray(from, from + width), at);
        from += width;
      }
      at += width;
    }
    return wide;
  }

  /** An agent for features as one for blocks: its program and its policy take the blocks. One block changes nothing. */
  agent(agent: Agent): Agent {
    if (this.spec.length === 1 && this.spec[0]!.dtype === 'float32') return agent;
    const { program } = agent;
    const given = OBSERVATIONS.filter((prefix) => program.inputs[prefix] !== undefined);
    const others = Object.entries(program.inputs).filter(([name]) => !given.some((prefix) => prefix === name));
    const inputs: Record<string, TensorSpec> = Object.fromEntries(others);
    for (const prefix of given)
      Object.assign(inputs, blockInputs(prefix, this.spec, program.inputs[prefix]!.shape[0]!));
    return {
      ...agent,
      program: {
        ...program,
        inputs,
        step: (state, batch) =>
          program.step(state, {
            ...batch,
            ...Object.fromEntries(given.map((prefix) => [prefix, this.features(prefix, batch)])),
          }),
      },
      policy: (parameters, normalisation) => {
        const policy = agent.policy(parameters, this.#normalisation(normalisation));
        return {
          ...policy,
          observation: this.spec,
          // Vectors side by side are normalised as one: what is normalised, and then encoded, are the numbers.
          apply: (batch, constants) =>
            policy.apply({ ...batch, observation: this.features('observation', batch) }, constants),
        };
      },
    };
  }
}
