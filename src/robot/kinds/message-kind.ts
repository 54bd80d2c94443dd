import type { JointState, LaserScan, MessageTypeName, MessageTypes, Odometry } from '../../messages/index.js';
import type { JointQuantity, RobotSpec, TopicSpec } from '../types.js';
import type { SensorReadings } from './sensor-readings.js';

/** Position (metres) and orientation (quaternion) as the ROS messages have them. */
export type Pose = Odometry['pose']['pose'];

/** How actions are put into messages of one type, and read from them, for one robot. */
export interface Carrier {
  /**
   * `action` is finite and as long as the robot's action; `stampNs` is ROS time. `reachSeconds` is the time that the
   * robot may take to get there, for messages that say it.
   */
  build(action: ArrayLike<number>, stampNs: bigint, reachSeconds: number): MessageTypes[MessageTypeName];
  /**
   * Writes the action of a message into `out`, NaN for every number that the message lacks: what it commands
   * `afterSeconds` after it began. Throws MISMATCH.
   */
  read(message: unknown, out: Float32Array, afterSeconds: number): void;
  /** For how many seconds a message commands anything, where it says so itself: a trajectory, up to its last point. */
  lasts?(message: unknown): number;
}

/** A command whose numbers are fields of the message, each addressed by its path (twist.linear.x). */
export interface PathCommand {
  readonly addresses: 'paths';
  /** Commands of one body carry the same action: a robot of one may be teleoperated by another. */
  readonly body: string;
  /** Where the body stands in the message: ['twist'] in a TwistStamped, [] where the message is the body. */
  readonly bodyPath: readonly string[];
  /** `paths`, split at their dots, lead from the body to the numbers of the action. */
  carrier(spec: RobotSpec, paths: readonly (readonly string[])[]): Carrier;
}

/** What a jog asks of every joint of a part: a speed (unit/s), which holds, and a step (unit), which is made once. */
export interface Jog {
  readonly speeds: Float64Array;
  readonly steps: Float64Array;
}

/** A command of joints, each addressed by its name. All of them can carry the same action. */
export interface JointCommand {
  readonly addresses: 'joints';
  /** A stamp says when the motion begins, and 0 says now: a controller refuses one that lies in the past. */
  readonly startsAtStamp?: true;
  /** What it can set of a joint. */
  readonly quantities: readonly JointQuantity[];
  /** Whether a joint may also have a unit that is of no quantity (a muscle's activation, a motor's share of power). */
  readonly anyUnit: boolean;
  /** Whether all joints must have the same quantity. */
  readonly oneQuantity: boolean;
  /** What an error says, beside the quantities, where it cannot teleoperate a robot because the quantities differ. */
  readonly unfit?: { readonly expected: string; readonly remedy: string };
  carrier(spec: RobotSpec): Carrier;
  /** Of a message that a person moves joints by relative to where they are: reads those of a teleoperation topic. */
  jog?(spec: RobotSpec, teleop: TopicSpec): (message: unknown) => Jog;
}

/** What a simulator knows beside the readings when it makes the message of a topic. */
export interface SimulatedTopic {
  readonly spec: RobotSpec;
  readonly topic: TopicSpec;
  readonly header: MessageTypes['std_msgs/msg/Header'];
  /** Gives `reading` back, or throws MISMATCH saying that the topic needs `what`. */
  need<Reading>(reading: Reading | undefined, what: string): Reading;
}

/**
 * Everything that a robot needs to know about one message type. A new type is its definition (see
 * scripts/generate-messages.mjs) and one of these in the registry.
 */
export interface MessageKind<Name extends MessageTypeName = MessageTypeName> {
  readonly type: Name;
  /** Present if a state topic may have this type: the forms of observation features that it offers. */
  readonly state?: {
    /** `field`: any number of the message may be a feature, by its path; its unit is written with the feature. */
    readonly fields?: true;
    /** `joints`: features by the names of joints. */
    joints?(message: MessageTypes[Name]): JointState;
    /** `sectors`: the nearest range in sectors of a scan, metres. */
    scan?(message: MessageTypes[Name]): LaserScan;
    /** `relative_to`: one pose in the frame of another, metres and plain numbers. */
    pose?(message: MessageTypes[Name]): Pose;
    /** The message with its pose in another frame, which `header` names. Only of messages with a header. */
    inFrame?(
      message: MessageTypes[Name],
      change: (pose: Pose) => Pose,
      header: MessageTypes['std_msgs/msg/Header'],
    ): MessageTypes[Name];
    /** `image`: a picture, made small, is a block of the observation. */
    readonly image?: true;
  };
  /** Present if a robot may be commanded, and teleoperated, by it. */
  readonly command?: PathCommand | JointCommand;
  /** Present if the simulator can publish it. */
  fromReadings?(readings: SensorReadings, simulated: SimulatedTopic): MessageTypes[Name];
}
