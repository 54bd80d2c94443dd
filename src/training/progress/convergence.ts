import type { Distance } from './occupancy-distance.js';

/**
 * Below this distance simulated walkers reach 95 % of the demonstrator's return and more. A run that never comes so near,
 * because its demonstrations began elsewhere for example, goes on to its last step.
 */
const NEAR = 0.1;
/** Candidates without a better one, after which nothing better is expected. */
const PATIENCE = 5;
/** A candidate is better, by more than the noise, where its rank is below this share of the best one's. */
export const BETTER = 0.95;

/** Candidates with a smaller rank are better; the worst fifth of the episodes counts as much as all of them together. */
export const rank = ({ distance, worst }: Distance): number => distance + worst;

/**
 * The version of the candidate at which learning had converged: the best candidate is near to the demonstrations, and
 * five after it were no better. `scores` are in the order of versions. Undefined where learning still gains, or where
 * it has not come near. What comes after that candidate does not change the answer, so that a run which is told late has
 * the same result.
 */
export function convergedAt(scores: readonly (Distance & { readonly version: number })[]): number | undefined {
  let best = { rank: Number.POSITIVE_INFINITY, distance: Number.POSITIVE_INFINITY };
  let since = 0;
  for (const score of scores) {
    since++;
    if (rank(score) < BETTER * best.rank) {
      best = { rank: rank(score), distance: score.distance };
      since = 0;
    }
    if (since >= PATIENCE && best.distance < NEAR) return score.version;
  }
  return undefined;
}
