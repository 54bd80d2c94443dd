import { Random } from '../common/index.js';

/**
 * Every random choice of a run follows from its one seed. Each purpose draws from a stream of its own, so that a change
 * of one (more demonstrations, say) leaves the others as they are. These are the streams' labels: whoever conducts a
 * run, in one process or over ROS 2, draws the same numbers. Another label changes every figure.
 */
const labels = {
  /** Starts of the episodes in which the expert demonstrates. */
  demonstration: 'demonstration',
  /** Starts of the episodes in which the policy learns. */
  training: 'training from 0',
  /** Starts from which the policies of a run are compared with each other, so that the best is deployed. */
  candidate: 'candidate',
  /** Starts on which policies are compared in a report. */
  evaluation: 'evaluation',
  /** Random actions before the first policy, and the noise of sampled ones; the policy node's seed. */
  exploration: 'exploration',
} as const;

export type SeedStream = keyof typeof labels;

/** The `i`-th seed of a run with `seed` for one purpose: an unsigned 32-bit integer. */
export function runSeed(seed: number, stream: SeedStream, i = 0): number {
  return Random.derive(seed, `${labels[stream]} ${i}`).uint32();
}

/** Starts of an evaluation: the same for every policy, and none of a demonstration or of training. */
export function evaluationSeeds(seed: number, episodes: number): number[] {
  return Array.from({ length: episodes }, (_, i) => runSeed(seed, 'evaluation', i));
}

/** The start of an episode of a run on a task in the trainer's own loop. */
export function taskSeed(seed: number, episode: number): number {
  return Random.derive(seed, `episode ${episode}`).uint32();
}

/** Random actions and the noise of sampled ones, of a run on a task in the trainer's own loop. */
export function taskExploration(seed: number): Random {
  return Random.derive(seed, 'exploration');
}
