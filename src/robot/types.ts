import type { Block } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import type { ImageSource } from './images/image-source.js';

/** One named number of an observation or action vector. */
export interface FeatureSpec {
  readonly name: string;
  readonly unit: string;
  /** Values are clamped to [low, high]; ±Infinity where unbounded. */
  readonly low: number;
  readonly high: number;
}

/** A quantity of a joint, measured or commanded. */
export type JointQuantity = 'position' | 'velocity' | 'effort';

/**
 * A part of a pose in a reference frame. `x`, `y`, `z` and `distance` are spatial; `planar_distance`, bearing and yaw
 * are those of a vehicle on the ground: seen from above, by the yaw of the reference alone (REP 103).
 */
export type RelativeComponent =
  | 'x'
  | 'y'
  | 'z'
  | 'distance'
  | 'planar_distance'
  | 'bearing_sin'
  | 'bearing_cos'
  | 'yaw_sin'
  | 'yaw_cos';

/** Where a feature's value comes from: a field of a topic's message, or a reduction of one or two messages. */
export type FeatureSource =
  /** `path` into the message, e.g. twist.twist.linear.x */
  | { readonly kind: 'field'; readonly topic: string; readonly path: string }
  /** A joint of a JointState by name. */
  | {
      readonly kind: 'joint';
      readonly topic: string;
      readonly joint: string;
      readonly quantity: JointQuantity;
      /** A velocity that is computed from successive positions, for drivers that give none. */
      readonly derived?: true;
    }
  /** LaserScan → the nearest range within one of `sectors` equal sectors, metres, at most range_max. */
  | { readonly kind: 'sector'; readonly topic: string; readonly index: number; readonly sectors: number }
  /** The pose on `topic` in the frame of the pose (or odometry) on `reference`. */
  | {
      readonly kind: 'relative';
      readonly topic: string;
      readonly reference: string;
      readonly component: RelativeComponent;
    };

/** An earlier command, by its place in the action: what the robot was told to do, whoever told it. */
export interface PastActionSource {
  readonly kind: 'action';
  readonly action: number;
}

export interface ObservationFeatureSpec extends FeatureSpec {
  readonly source: FeatureSource | PastActionSource;
  /** The value of so many control periods ago, and its name ends with that: `speed[-2]`. Missing for the present value. */
  readonly lag?: number;
}

export interface TopicSpec {
  readonly topic: string;
  readonly type: MessageTypeName;
  /** Age from which its state is stale; Infinity for a state that is published once and stays true. */
  readonly timeoutMs: number;
  /** The frame its messages must be given in, where the robot's description names one. */
  readonly frameId?: string;
  /** A namespace that may stand before the frame: bot1/odom for odom. */
  readonly framePrefix?: string;
  /** Of a teleoperation topic: the names that its messages have for the joints of the action, where they differ. */
  readonly joints?: LeaderJoints;
  /** Of a teleoperation topic of jogs: 1 is the largest speed of the description, as a joystick's axis has it. */
  readonly unitless?: boolean;
}

/** The names that a leader arm gives to the joints of the robot, by the robot's names. */
export type LeaderJoints = Readonly<Record<string, string>>;

/** A button that a person holds while driving; sensor_msgs/msg/Joy. */
export interface DeadManSpec {
  readonly topic: string;
  /** Index into the message's buttons. */
  readonly button: number;
  /** The button counts as released if its topic is silent for longer. */
  readonly timeoutMs: number;
}

/** What a stop commands: zeros, or the last command again (for positions). */
export type StopMode = 'zero' | 'hold';

/** A topic that commands a part of the robot (or all of it), and the topic by which a person commands that part. */
export interface CommandSpec extends TopicSpec {
  /** The name that the actions of this part refer to; `command` where the robot has one command topic alone. */
  readonly name: string;
  /** A person's or scripted expert's teleoperation; its type carries the same action as the command. */
  readonly teleop: TopicSpec;
}

export interface ActionFeatureSpec extends FeatureSpec {
  /** The name of the command that carries it. */
  readonly command: string;
  /** What a stop commands: 0, or the last command again. */
  readonly stop: StopMode;
  /** Path into the command message (twist.linear.x) or the joint's name. */
  readonly path: string;
  /** Largest change per second, in unit/s; Infinity for no limit. */
  readonly maxRate: number;
  /**
   * A policy gives this command as the difference from a measured value: from the feature at the place `of` of the
   * observation, by at most `most` either way. Limits and rates are those of the command itself.
   */
  readonly delta?: { readonly of: number; readonly most: number };
  /** The quantity of its joint that a joint command sets; missing only where the unit is of none (Float64MultiArray). */
  readonly quantity?: JointQuantity;
}

/** The description of a robot: names, units, limits, topics and rate. Parsed from config/robots/*.yaml or a file like those. */
export interface RobotSpec {
  readonly robot: string;
  readonly description: string;
  /** Control rate, Hz. */
  readonly rateHz: number;
  readonly frameId: string;
  readonly stateTopics: readonly TopicSpec[];
  /** The named numbers of the observation, its block `state`. */
  readonly observation: readonly ObservationFeatureSpec[];
  /** Blocks of the observation after `state`: the images of a description. */
  readonly blocks?: readonly Block[];
  /** How each of `blocks` is made of a state topic's images. */
  readonly images?: readonly ImageSource[];
  /** The topics that command the robot: one, or one for each of its parts (base and arm, arm and gripper). */
  readonly commands: readonly [CommandSpec, ...CommandSpec[]];
  /** One vector for all of them, whatever order its entries have. */
  readonly action: readonly ActionFeatureSpec[];
  /** A person's commands count only while this button is held. Releasing it while a person drives stops the robot. */
  readonly deadman?: DeadManSpec;
  readonly estopTopic: string;
  /** The simulated task of this robot; null if there is none. */
  readonly task: string | null;
}
