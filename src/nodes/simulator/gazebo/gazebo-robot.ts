import type { RobotSpec } from '../../../robot/index.js';
import type { PoseReading } from '../../../simulation/index.js';
import type { Closable, Transport } from '../../../transport/index.js';
import type { GazeboWorld } from './world.js';

/** What a task is in Gazebo: how an episode begins, what the robot's topics lack there, and when it went well. */
export interface GazeboRobot {
  /** Steps of an episode. */
  readonly maxSteps: number;
  /** Puts robot, goal and things where the episode of this seed begins. */
  reset(seed: number): Promise<void>;
  /** The poses that Gazebo does not publish by itself, by topic without slash. */
  poses(): Readonly<Record<string, PoseReading>>;
  /** Once a step: whether the task counts as done well. */
  judge(): boolean;
}

/** What a stage is made with. */
export interface GazeboRobotParts {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  readonly world: GazeboWorld;
  /** The action commanded now; null between episodes and where none came in time. */
  command(): ArrayLike<number> | null;
  /** Keeps a subscription or publisher until the node is shut down. */
  own<T extends Closable>(closable: T): T;
}

/** Makes a robot's stage where the node is configured. */
export type GazeboRobotFactory = (parts: GazeboRobotParts) => GazeboRobot;

/** A pose on the ground, turned by `yaw`. */
export function groundPose([x, y]: readonly [number, number], z: number, yaw = 0): PoseReading {
  return { position: [x, y, z], orientation: [0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)] };
}
