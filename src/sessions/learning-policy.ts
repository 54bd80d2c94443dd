import type { PolicyParameters } from '../nodes/index.js';
import { runSeed } from '../training/index.js';

/** Parameters of the policy node while it learns in simulation: the same in one process and over ROS 2. */
export function learningPolicyParameters({
  seed,
  segmentSize,
  transitions,
  randomSteps,
}: {
  /** Seed of the run. */
  readonly seed: number;
  /** Transitions between two policies. */
  readonly segmentSize: number;
  /** After so many the robot stands still. */
  readonly transitions: number;
  /** First steps of the run, which take uniformly random actions. */
  readonly randomSteps: number;
}) {
  return {
    source: 'policy',
    stochastic: true,
    explore: 'random',
    randomSteps,
    seed: runSeed(seed, 'exploration'),
    synchronousSegment: segmentSize,
    transitionLimit: transitions,
  } as const satisfies PolicyParameters;
}
