/** What learning needs of a task: gymnasium's reset and step with continuous actions in the task's units. */
export interface Environment {
  readonly observationSize: number;
  /** Limits of each action dimension, in units: [−1, 1] of the policy maps onto them. */
  readonly actionLow: readonly number[];
  readonly actionHigh: readonly number[];
  reset(seed: number): ArrayLike<number>;
  step(action: ArrayLike<number>): {
    readonly observation: ArrayLike<number>;
    readonly reward: number;
    readonly terminated: boolean;
    readonly truncated: boolean;
  };
  /** The full state between two steps, for checkpoints. */
  snapshot(): Float64Array;
  restore(state: Float64Array): void;
}

/** The environment of a task-like object with box spaces. */
export function environmentOf(task: {
  readonly observationSpace: { readonly dimensions: readonly unknown[] };
  readonly actionSpace:
    | { readonly kind: 'box'; readonly dimensions: readonly { readonly low: number; readonly high: number }[] }
    | { readonly kind: 'discrete' };
  reset: Environment['reset'];
  step: Environment['step'];
  snapshot: Environment['snapshot'];
  restore: Environment['restore'];
}): Environment {
  const { actionSpace } = task;
  if (actionSpace.kind !== 'box') throw new RangeError('an environment with continuous actions is needed');
  return {
    observationSize: task.observationSpace.dimensions.length,
    actionLow: actionSpace.dimensions.map(({ low }) => low),
    actionHigh: actionSpace.dimensions.map(({ high }) => high),
    reset: (seed) => task.reset(seed),
    step: (action) => task.step(action),
    snapshot: () => task.snapshot(),
    restore: (state) => {
      task.restore(state);
    },
  };
}
