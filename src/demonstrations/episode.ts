import type { BlockArray, ObservationSpec, PerBlock } from '../common/index.js';

/** One demonstration without gaps: n actions between n + 1 observations, at the robot's control rate. */
export interface DemonstrationEpisode {
  /** Where it comes from: `<recording>#<number of the episode in it>`. */
  readonly source: string;
  /** Number of transitions, n. */
  readonly length: number;
  /** The blocks of an observation. */
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  /** n + 1 rows of each block, in the robot's units; the observation after action t is row t + 1. */
  readonly observations: PerBlock<BlockArray>;
  /** [n × actionSize], in the action's units. */
  readonly actions: Float32Array;
  /** The last observation is a true terminal state. */
  readonly terminated: boolean;
  /** Cut after the last observation: its value bootstraps. Exactly one of the two is true. */
  readonly truncated: boolean;
  /** Null if it is not known. */
  readonly success: boolean | null;
  /** Seed of the reset that the episode began with; null without one. */
  readonly seed: bigint | null;
  /** [n + 1] stamps of the observations, nanoseconds; null if only the order of steps is known. */
  readonly stamps: BigInt64Array | null;
  /** [n] rewards of the task, for curves only; null if there are none. */
  readonly rewards: Float32Array | null;
}
