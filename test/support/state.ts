import type { BlockArray, PerBlock } from '#src/common/index.js';

/** The numbers of an observation, or of rows of observations, of a robot that observes one block of named numbers. */
export function stateOf(observations: PerBlock<BlockArray>): Float32Array {
  if (!(observations instanceof Float32Array)) throw new Error('not one block of named numbers');
  return observations;
}
