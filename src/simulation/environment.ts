import { IqLearnError } from '../common/index.js';
import type { BoxSpace, DiscreteSpace } from './task.js';

/** A value, or a promise of it: an environment in this thread answers at once, one in another process later. */
export type MaybePromise<T> = T | Promise<T>;

/** What one step of an {@link Environment} gives. */
export interface EnvironmentStep {
  readonly observation: ArrayLike<number>;
  readonly reward: number;
  /** A true terminal state: its value is 0. */
  readonly terminated: boolean;
  /** The episode was cut off, for example by a time limit: the state's value is estimated as any other. */
  readonly truncated: boolean;
}

/**
 * What learning needs of a task: gymnasium's reset and step. Actions are in the task's units. Where they are discrete,
 * an action is a one-hot vector, so that its length is the number of actions and all limits are 0 and 1.
 */
export interface Environment {
  readonly observationSize: number;
  /** Limits of each action dimension in the task's units: −1 and 1 of the policy map onto them. */
  readonly actionLow: readonly number[];
  readonly actionHigh: readonly number[];
  /** Whether actions are discrete; false if not given. */
  readonly discrete?: boolean;
  /** Starts an episode. The same seed starts the same episode. */
  reset(seed: number): MaybePromise<ArrayLike<number>>;
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
    observationSize: task.observationSpace.dimensions.length,
    actionLow: limits.map(({ low }) => low),
    actionHigh: limits.map(({ high }) => high),
    discrete,
    reset: (seed) => task.reset(seed),
    step: discrete ? (action) => task.step([largestIndex(action)]) : (action) => task.step(action),
    snapshot: () => task.snapshot(),
    restore: (state) => task.restore(state),
  };
}
