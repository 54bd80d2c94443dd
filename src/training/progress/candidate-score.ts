import { z } from 'zod';
import type { Episode } from '../../learning/index.js';

export const candidateScoreSchema = z.strictObject({
  version: z.int().min(0),
  distance: z.number(),
  worst: z.number(),
  episodes: z.int().min(1),
  return: z.number(),
});

/**
 * How near a policy is to the demonstrations: `distance` is the occupancy distance between these and all of its
 * `episodes`, `worst` the mean of those of the fifth of them that is farthest away. `version` counts the segments that
 * the policy has learned from. `return` is the mean return that the task paid; nothing is chosen by it.
 */
export type CandidateScore = Readonly<z.output<typeof candidateScoreSchema>>;

/** The score of a policy in the comparisons at the end: one of the run, or the mean of several of its versions. */
export interface ComparedScore extends CandidateScore {
  /** The versions whose mean it is, in order; one of a policy of the run. `version` is the newest of them. */
  readonly versions: readonly number[];
}

/** An episode that a candidate drove, as learning takes it, and the return that the task paid for it. */
export interface CandidateEpisode {
  readonly episode: Episode;
  readonly return: number;
}
