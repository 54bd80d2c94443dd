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

/** How blocks of one kind become features, the vector that an agent's networks take. */
export interface BlockEncoder {
  /** The blocks that it takes, in words for messages. */
  readonly takes: string;
  accepts(block: Block): boolean;
  /** Features of one observation. */
  width(block: Block): number;
  /** [rows, …shape] → [rows, width]. */
  encode(values: tf.Tensor, block: Block): tf.Tensor;
}

/** A vector of numbers is its own features. */
const vector: BlockEncoder = {
  takes: 'float32 vectors',
  accepts: ({ dtype, shape }) => dtype === 'float32' && shape.length === 1,
  width: ({ shape }) => shapeSize(shape),
  encode: (values) => values,
};

/** More numbers than this make the first layer of every network too wide to learn and to deploy. */
const MOST_BYTES = 16_384;

/** An image whose every byte is a feature: for small ones, where it matters what is where. */
const flatBytes: BlockEncoder = {
  takes: `uint8 blocks of at most ${MOST_BYTES} numbers (an image: make it smaller in the description of the robot)`,
  accepts: ({ dtype, shape }) => dtype === 'uint8' && shapeSize(shape) <= MOST_BYTES,
  width: ({ shape }) => shapeSize(shape),
  encode: (values, { shape, normalise }) => {
    const flat = tf.reshape(tf.cast(values, 'float32'), [-1, shapeSize(shape)]);
    return normalise === 'unit' ? tf.div(flat, 255) : flat;
  },
};

/**
 * All encoders; the first that accepts a block encodes it. A new one is a file beside this one and an entry here. An
 * encoder with parameters of its own (a convolution) needs a part of the agents' parameter vectors besides.
 */
const encoders: readonly BlockEncoder[] = [vector, flatBytes];

/** The inputs of an agent's program that are observations. */
const OBSERVATIONS = ['observations', 'nextObservations', 'initialObservations'] as const;

/** How an agent takes observations: each block through its encoder, the features side by side in the order of the blocks. */
export class ObservationEncoder {
  readonly spec: ObservationSpec;
  /** Features of one observation: the size of the observation that the agent is created for. */
  readonly width: number;
  readonly #encoders: readonly BlockEncoder[];

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
  }

  /** The features [rows, width] of the observations among `inputs` whose names begin with `prefix` (see `entryNames`). */
  features(prefix: string, inputs: TensorRecord): tf.Tensor {
    const names = entryNames(prefix, this.spec);
    const features = this.#encoders.map((encoder, i) => encoder.encode(inputs[names[i]!]!, this.spec[i]!));
    return features.length === 1 ? features[0]! : tf.concat(features, 1);
  }

  /** The normalisation of the features: that of the numbers of float32 blocks, and none of what encoders make of bytes. */
  #normalisation({ mean, scale }: Normalisation): Normalisation {
    const wide = { mean: new Float32Array(this.width), scale: new Float32Array(this.width).fill(1) };
    let [from, at] = [0, 0];
    this.spec.forEach((block, i) => {
      const width = this.#encoders[i]!.width(block);
      if (block.dtype === 'float32') {
        wide.mean.set(mean.subarray(from, from + width), at);
        wide.scale.set(scale.subarray(from, from + width), at);
        from += width;
      }
      at += width;
    });
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
