import {
  type BlockArray,
  blockBytes,
  blockValues,
  checkFinite,
  describeObservation,
  IqLearnError,
  type Observation,
  type ObservationSpec,
  observationArrays,
  type PerBlock,
  perBlock,
  STATE_BLOCK,
  shapeSize,
} from '../../common/index.js';
import type { Transition } from '../../messages/index.js';

// How a Transition message carries an observation: the named numbers in one field, as a person reads them with
// `ros2 topic echo`, and the bytes of all further blocks, such as images, in another.

/** The fields of a Transition message that carry one observation. */
interface ObservationFields {
  /** The block `state`; empty where the robot has none. */
  readonly numbers: ArrayLike<number>;
  /** The other blocks in the order of the robot's description, row-major; float32 little-endian. */
  readonly bytes: ArrayLike<number>;
}

/** An observation as the fields of a message; the arrays are not copied where they need not be. */
export function fieldsOf(
  spec: ObservationSpec,
  observation: PerBlock<BlockArray>,
): { numbers: Float32Array; bytes: Uint8Array } {
  const blocks = blockValues<BlockArray>(spec, observation, 'observation');
  const others = blocks.filter((_, i) => spec[i]!.name !== STATE_BLOCK);
  const bytes = new Uint8Array(others.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of others) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const state = blocks[spec.findIndex(({ name }) => name === STATE_BLOCK)] as Float32Array | undefined;
  return { numbers: state ?? new Float32Array(0), bytes };
}

/**
 * The observation that the fields carry; it may be their own array. Throws INVALID_ARGUMENT where they do not have the
 * sizes of these blocks, or a number is not finite.
 */
function observationOfFields(spec: ObservationSpec, { numbers, bytes }: ObservationFields): Observation {
  const [only] = spec;
  // The most common robot: named numbers and nothing else.
  if (
    spec.length === 1 &&
    only!.name === STATE_BLOCK &&
    numbers.length === shapeSize(only!.shape) &&
    bytes.length === 0
  ) {
    checkFinite('observation', numbers);
    return numbers instanceof Float32Array ? numbers : new Float32Array(numbers);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  const blocks = spec.map((block): BlockArray => {
    if (block.name === STATE_BLOCK) return new Float32Array(numbers);
    const own = all.slice(at, at + blockBytes(block));
    at += blockBytes(block);
    return block.dtype === 'uint8' ? own : new Float32Array(own.buffer, 0, own.byteLength >> 2);
  });
  const stateless = spec.every(({ name }) => name !== STATE_BLOCK);
  if (at !== all.length || (stateless && numbers.length > 0))
    throw new IqLearnError('INVALID_ARGUMENT', 'the observation of a transition has the wrong size', {
      found: `${numbers.length} numbers and ${all.length} bytes`,
      expected: describeObservation(spec),
    });
  const observation = perBlock<BlockArray>(spec, blocks);
  observationArrays(spec, observation, 'observation');
  return observation;
}

/** The observation of a transition, and the next one. Throws INVALID_ARGUMENT where they are not of this robot. */
export function transitionObservations(
  spec: ObservationSpec,
  { observation, blocks, next_observation, next_blocks }: Transition,
): [Observation, Observation] {
  return [
    observationOfFields(spec, { numbers: observation, bytes: blocks }),
    observationOfFields(spec, { numbers: next_observation, bytes: next_blocks }),
  ];
}
