import type { Physics } from '../physics/physics.js';
import type { SensorReadings } from '../task.js';

/** What one number of qpos or qvel is called in the observation, and its unit. */
export interface Coordinate {
  readonly name: string;
  readonly unit: string;
}

/** A robot as {@link LocomotionTask} needs it, whether it moves in a plane or in space. */
export interface LocomotionModel {
  /** The robot, standing on an endless floor, in MJCF. */
  readonly mjcf: string;
  /** The numbers of qpos, in their order. */
  readonly positions: readonly Coordinate[];
  /** How many of the first positions the observation leaves out: the gait must not depend on where the robot is. */
  readonly unobserved: number;
  /** The numbers of qvel, in their order. */
  readonly velocities: readonly Coordinate[];
  /** The hinges that motors turn, in the order of the action. */
  readonly motors: readonly string[];
  /** The robot's position along x in metres, from which the reward computes its forward velocity. */
  forward(physics: Physics): number;
  /** Whether a step leaves `forward` as it was a moment before the step's end, so that the state does not determine it. */
  readonly forwardLags: boolean;
  /** Makes positions valid to which noise was added, where they are not all independent of each other. */
  normalise?(qpos: Float64Array): void;
  /** What the robot's sensors read. */
  sense(physics: Physics): SensorReadings;
}
