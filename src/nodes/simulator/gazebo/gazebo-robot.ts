import type { RobotSpec } from '../../../robot/index.js';
import type { PoseReading } from '../../../simulation/index.js';
import type { Closable, Transport } from '../../../transport/index.js';
import type { GazeboWorld } from './world.js';

/** A robot's task in Gazebo: how an episode begins, which poses Gazebo lacks, and when the task has succeeded. */
export interface GazeboRobot {
  /** Number of control steps after which an episode is cut. */
  readonly maxSteps: number;
  /** Places the robot, the goal and objects where the episode of this seed begins. */
  reset(seed: number): Promise<void>;
  /** The poses that Gazebo does not publish itself, by topic without slash. */
  poses(): Readonly<Record<string, PoseReading>>;
  /** Called once per step: whether the task has succeeded. */
  judge(): boolean;
}

/** What a robot's task is made from. */
export interface GazeboRobotParts {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  readonly world: GazeboWorld;
  /** The present command; null between episodes, and if none came in time. */
  command(): ArrayLike<number> | null;
  /** Keeps a subscription or publisher, to close it when the node is shut down. */
  own<T extends Closable>(closable: T): T;
}

/** Makes a robot's task when the node is configured. */
export type GazeboRobotFactory = (parts: GazeboRobotParts) => GazeboRobot;

/** A pose on the ground with this heading (yaw, radians). */
export function groundPose([x, y]: readonly [number, number], z: number, yaw = 0): PoseReading {
  return { position: [x, y, z], orientation: [0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)] };
}
