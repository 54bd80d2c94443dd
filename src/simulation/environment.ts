import {
  ActionRange,
  IqLearnError,
  type Observation,
  type ObservationSpec,
  vectorObservation,
} from '../common/index.js';
import type { BoxSpace, DiscreteSpace } from './task.js';

/** A value from an environment in this thread, or a promise of it from an environment in another process. */
export type MaybePromise<T> = T | Promise<T>;

/** What one step of an {@link Environment} gives. */
export interface EnvironmentStep {
  readonly observation: Observation;
  readonly reward: number;
  /** Whether the state is a true terminal state, whose value is 0. */
  readonly terminated: boolean;
  /** Whether something else ended the episode, such as a time limit; the state's value is then estimated like any other. */
  readonly truncated: boolean;
}

/**
 * What learning needs of a task: gymnasium's reset and step. Actions are in the task's units. Where they are discrete,
 * an action is a one-hot vector, so that its length is the number of actions and all limits are 0 and 1.
 */
export interface Environment {
  /** The blocks of an observation; `vectorObservation(n)` where it is one vector of n numbers. */
  readonly observation: ObservationSpec;
  /** The range of each action dimension in the task's units; a policy's −1 and 1 are mapped to its limits. */
  readonly actionRange: ActionRange;
  /** Whether actions are discrete; false if not given. */
  readonly discrete?: boolean;
  /** Starts an episode and gives its first observation. The same seed starts the same episode. */
  reset(seed: number): MaybePromise<Observation>;
  step(action: ArrayLike<number>): MaybePromise<EnvironmentStep>;
  /**
   * The full state between two steps, for checkpoints. An environment without it is brought back to where it was by its
   * seed and the actions of the episode so far.
   */
  snapshot?(): MaybePromise<Float64Array>;
  restore?(state: Float64Array): MaybePromise<void>;
}

/** An environment that has to be closed. */
export interface OpenEnvironment extends Environment {
  close(): Promise<void>;
}

/** A task, or anything with a task's spaces and methods. */
export interface EnvironmentSource {
  readonly observationSpace: Pick<BoxSpace, 'dimensions'>;
  readonly actionSpace: BoxSpace | DiscreteSpace;
  reset(seed: number): ArrayLike<number>;
  step(action: ArrayLike<number>): EnvironmentStep;
  snapshot(): Float64Array;
  restore(state: Float64Array): void;
}

/** The index of the largest number; the first one of several. */
export function largestIndex(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * The environment of a task. Throws UNSUPPORTED where an action dimension has no limits, because −1 and 1 of a policy
 * cannot be mapped onto them.
 */
export function environmentOf(task: EnvironmentSource): Environment {
  const { actionSpace } = task;
  const discrete = actionSpace.kind === 'discrete';
  const limits = discrete ? Array.from({ length: actionSpace.n }, () => ({ low: 0, high: 1 })) : actionSpace.dimensions;
  const unlimited = limits.findIndex(({ low, high }) => !Number.isFinite(low) || !Number.isFinite(high));
  if (unlimited >= 0)
    throw new IqLearnError('UNSUPPORTED', 'a policy cannot act in this task', {
      found: `action ${unlimited} without limits`,
      expected: 'finite limits of every action dimension',
    });
  return {
    observation: vectorObservation(task.observationSpace.dimensions.length),
    actionRange: ActionRange.of(limits),
    discrete,
    reset: (seed) => task.reset(seed),
    step: discrete ? (action) => task.step([largestIndex(action)]) : (action) => task.step(action),
    snapshot: () => task.snapshot(),
    restore: (state) => task.restore(state),
  };
}
