import type { PlanarRobot } from './planar.js';

/** Gymnasium's version of a task: `v4` pays for being alive in every step, `v5` only while the robot is healthy. */
export type GymnasiumVersion = 'v4' | 'v5';

/** What turns a planar robot into one of gymnasium's tasks. */
export interface LocomotionRules {
  readonly robot: PlanarRobot;
  /** Physics steps per task step. */
  readonly frameSkip: number;
  /** Half width of the uniform noise on the positions at reset. */
  readonly positionNoise: number;
  /** Noise on the velocities at reset: its half width, or its standard deviation. */
  readonly velocityNoise: { readonly kind: 'uniform' | 'normal'; readonly scale: number };
  /** Observed velocities are clipped to ± this. */
  readonly velocityClip: number;
  /** Reward that is lost per Σ action². */
  readonly controlCost: number;
  /** Reward for being alive; 0 for a robot that cannot fall. */
  readonly aliveReward: number;
  /** Whether the robot still stands; the episode terminates when it does not. */
  readonly isHealthy: (qpos: Float64Array, qvel: Float64Array) => boolean;
}
