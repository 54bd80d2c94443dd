export { ActionRange } from './action-range.js';
export {
  type Block,
  type BlockArray,
  type BlockNormalisation,
  blockArray,
  blockBytes,
  blockInputs,
  blockValues,
  checkFinite,
  checkObservationSpec,
  copyObservation,
  describeObservation,
  entryNames,
  type Observation,
  type ObservationSpec,
  observationArrays,
  type PerBlock,
  perBlock,
  STATE_BLOCK,
  sameBlocks,
  shapeSize,
  stackObservations,
  vectorObservation,
} from './blocks.js';
export { cancelled, throwIfCancelled } from './cancel.js';
export { type SteadyClock, steadyClock, wallClockNs } from './clock.js';
export { type ErrorCode, IqLearnError, messageOf, type PackedError, packError, unpackError } from './errors.js';
export { InTurn } from './in-turn.js';
export { clamp, countBefore, isWrapped, mean, TURN, yawOf } from './mathematics.js';
export { expectedOf, type ParseOptions, parseOrThrow, type Refusal, refusalOf, shown, valueAt } from './parse.js';
export { Random, type RandomState } from './random.js';
export { rankCorrelation } from './rank-correlation.js';
export { readable } from './readable.js';
export { nearest, unknownName } from './suggest.js';
export { joinVectors } from './vectors.js';
