import type { LocomotionModel } from './model.js';

/** Gymnasium's version of a task: `v4` pays for being alive in every step, `v5` only while the robot is healthy. */
export type GymnasiumVersion = 'v4' | 'v5';

/** The rules that turn a robot into one of gymnasium's tasks. */
export interface LocomotionRules {
  readonly model: LocomotionModel;
  /** The number of physics steps in one step of the task. */
  readonly frameSkip: number;
  /** A reset adds uniform noise within ± this to every position (metres or radians). */
  readonly positionNoise: number;
  /** A reset adds noise to every velocity. `scale` is the half width of uniform noise, or the standard deviation of normal noise. */
  readonly velocityNoise: { readonly kind: 'uniform' | 'normal'; readonly scale: number };
  /** The observation clips every velocity to ± this. */
  readonly velocityClip: number;
  /** The reward loses this times the sum of the squared actions. */
  readonly controlCost: number;
  /** The reward for a step in which the robot is alive. It is 0 for a robot that cannot fall. */
  readonly aliveReward: number;
  /** Says whether the robot still stands. The episode terminates when it does not. */
  readonly isHealthy: (qpos: Float64Array, qvel: Float64Array) => boolean;
}
