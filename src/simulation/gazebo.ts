import type { RobotSpec } from '../robot/index.js';
import type { Closable, Transport } from '../transport/index.js';
import type { PoseReading } from './task.js';

/** Requests to a running Gazebo that no bridged topic carries. Every call rejects if Gazebo refuses or does not answer. */
export interface GazeboWorld {
  /** Moves a model of the world to a pose at once. Metres, world frame. */
  place(model: string, pose: PoseReading): Promise<void>;
  pause(paused: boolean): Promise<void>;
  /** Publishes one message, in protobuf's text form, on one of Gazebo's own topics. */
  publish(topic: string, type: string, text: string): Promise<void>;
}

/** A task in Gazebo: how an episode begins, which poses the robot's topics lack there, and when the task succeeds. */
export interface GazeboRobot {
  /** Steps of an episode. */
  readonly maxSteps: number;
  /** Moves the robot, the goal and other objects to where the episode of this seed begins. */
  reset(seed: number): Promise<void>;
  /** The poses that Gazebo does not publish by itself, by topic name without the slash. */
  poses(): Readonly<Record<string, PoseReading>>;
  /** Called once per step: whether the task counts as done. */
  judge(): boolean;
}

/** What a {@link GazeboRobot} is made with. */
export interface GazeboRobotParts {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  readonly world: GazeboWorld;
  /** The current action; null between episodes and when no command has arrived in time. */
  command(): ArrayLike<number> | null;
  /** Closes a subscription or publisher when the node shuts down. Returns its argument. */
  own<T extends Closable>(closable: T): T;
}

/** Makes the task's robot when the node is configured. */
export type GazeboRobotFactory = (parts: GazeboRobotParts) => GazeboRobot;

/** A task's part in Gazebo and what it holds until `close`. */
export interface GazeboPlayer {
  readonly createRobot: GazeboRobotFactory;
  close(): void;
}

/** A pose at height `z` (metres), turned by `yaw` (radians) about the vertical. */
export function groundPose([x, y]: readonly [number, number], z: number, yaw = 0): PoseReading {
  return { position: [x, y, z], orientation: [0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)] };
}
