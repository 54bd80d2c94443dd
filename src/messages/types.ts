/** TypeScript faces of the ROS 2 messages used here, field for field as in their .msg files. */

export interface Time {
  sec: number;
  nanosec: number;
}
export interface Duration {
  sec: number;
  nanosec: number;
}
export interface Header {
  stamp: Time;
  frame_id: string;
}
export interface Vector3 {
  x: number;
  y: number;
  z: number;
}
export interface Quaternion {
  x: number;
  y: number;
  z: number;
  w: number;
}
export interface Pose {
  position: Vector3;
  orientation: Quaternion;
}
export interface Twist {
  linear: Vector3;
  angular: Vector3;
}
export interface JointState {
  header: Header;
  name: string[];
  position: Float64Array | number[];
  velocity: Float64Array | number[];
  effort: Float64Array | number[];
}
export interface LaserScan {
  header: Header;
  angle_min: number;
  angle_max: number;
  angle_increment: number;
  time_increment: number;
  scan_time: number;
  range_min: number;
  range_max: number;
  ranges: Float32Array | number[];
  intensities: Float32Array | number[];
}
export interface Imu {
  header: Header;
  orientation: Quaternion;
  orientation_covariance: Float64Array | number[];
  angular_velocity: Vector3;
  angular_velocity_covariance: Float64Array | number[];
  linear_acceleration: Vector3;
  linear_acceleration_covariance: Float64Array | number[];
}
export interface Joy {
  header: Header;
  axes: Float32Array | number[];
  buttons: Int32Array | number[];
}
export interface Image {
  header: Header;
  height: number;
  width: number;
  encoding: string;
  is_bigendian: number;
  step: number;
  data: Uint8Array;
}
export interface CompressedImage {
  header: Header;
  format: string;
  data: Uint8Array;
}
export interface TwistStamped {
  header: Header;
  twist: Twist;
}
export interface PoseStamped {
  header: Header;
  pose: Pose;
}
export interface Odometry {
  header: Header;
  child_frame_id: string;
  pose: { pose: Pose; covariance: Float64Array | number[] };
  twist: { twist: Twist; covariance: Float64Array | number[] };
}
export interface JointTrajectoryPoint {
  positions: Float64Array | number[];
  velocities: Float64Array | number[];
  accelerations: Float64Array | number[];
  effort: Float64Array | number[];
  time_from_start: Duration;
}
export interface JointTrajectory {
  header: Header;
  joint_names: string[];
  points: JointTrajectoryPoint[];
}
/** What MoveIt Servo takes for joints. */
export interface JointJog {
  header: Header;
  joint_names: string[];
  displacements: Float64Array | number[];
  velocities: Float64Array | number[];
  duration: number;
}
export interface StringMessage {
  data: string;
}
export interface Float64Message {
  data: number;
}
export interface Float64MultiArray {
  layout: { dim: { label: string; size: number; stride: number }[]; data_offset: number };
  data: Float64Array | number[];
}
export interface Clock {
  clock: Time;
}
export interface Bool {
  data: boolean;
}
export interface KeyValue {
  key: string;
  value: string;
}
export interface DiagnosticStatus {
  level: number;
  name: string;
  message: string;
  hardware_id: string;
  values: KeyValue[];
}
export interface DiagnosticArray {
  header: Header;
  status: DiagnosticStatus[];
}

// iq_learn's own (msg/*.msg)

/** The constants of EpisodeEvent.msg. */
export const episodeEvent = { START: 0, END: 1, DISCARD: 2, UNKNOWN: -1, FAILURE: 0, SUCCESS: 1 } as const;

/** Marks where an episode starts, ends or is thrown away; recorded beside the raw topics. */
export interface EpisodeEvent {
  header: Header;
  /** 0 START, 1 END, 2 DISCARD. */
  kind: number;
  episode: number;
  /** Of END: the task reached a true terminal state. */
  terminated: boolean;
  /** Of END: cut by a time limit, a person or a fault. */
  truncated: boolean;
  /** Of END: -1 unknown, 0 failure, 1 success. */
  success: number;
  /** Of START: the seed of the reset, -1 where there is none. */
  seed: bigint;
  reason: string;
}

/** One step of a policy on a robot, as the learner takes it. */
export interface Transition {
  header: Header;
  robot: string;
  session: string;
  /** Of this session, from 0, without gaps: duplicates and gaps are seen by it. */
  sequence: bigint;
  episode: number;
  step: number;
  /** Version of the policy that chose the action; -1 for a person or an expert. */
  policy_version: bigint;
  /** True where a person had taken over. */
  intervention: boolean;
  observation: Float32Array | number[];
  /** The action that was executed (after the safety filter), in the action's units. */
  action: Float32Array | number[];
  next_observation: Float32Array | number[];
  terminated: boolean;
  truncated: boolean;
  /** The task's reward where a simulator gives one, else NaN; never used for learning, only for curves. */
  reward: number;
}

/** A policy bundle on the wire. */
export interface PolicyBundleMessage {
  header: Header;
  robot: string;
  /** Of the learner: of two, policies of the lower are ignored. */
  epoch: bigint;
  /** Counts up within an epoch. */
  version: bigint;
  /** policy.onnx */
  model: Uint8Array;
  /** manifest.json */
  manifest: string;
}

export interface PolicyStatus {
  header: Header;
  robot: string;
  /** As in its transitions. */
  session: string;
  /** Of two policy nodes for one robot the lower yields. */
  epoch: bigint;
  policy_version: bigint;
  /** IDLE, RUNNING, HOLDING, TAKEOVER, ESTOP, FAULT */
  state: string;
  reason: string;
  episode: number;
  step: number;
  overruns: bigint;
  dropped: bigint;
  latency_ms: number;
}

export interface LearnerStatus {
  header: Header;
  robot: string;
  /** Of two learners for one robot the lower yields. */
  epoch: bigint;
  updates: bigint;
  transitions: bigint;
  /** Expert transitions held: demonstrated, and of takeovers where they count. */
  demonstrations: bigint;
  policy_version: bigint;
  updates_per_second: number;
  backlog: number;
  /** Names of `values`, e.g. train/critic_loss. */
  names: string[];
  values: Float64Array | number[];
}

/** A person takes over from the policy, or hands back. */
export interface Intervention {
  header: Header;
  robot: string;
  session: string;
  /** True: a person has taken over; false: handed back. */
  active: boolean;
  reason: string;
  episode: number;
  step: number;
}

/** The state of an episode on the robot's side, published by a simulator (or a supervisor of a real robot). */
export interface TaskState {
  header: Header;
  episode: number;
  step: number;
  reward: number;
  terminated: boolean;
  truncated: boolean;
  success: boolean;
}

/** The reward that the learnt critic implies for a step: r = Q(s, a) − γ (1 − d) V(s′). */
export interface RecoveredReward {
  header: Header;
  robot: string;
  session: string;
  /** Of the Transition it belongs to. */
  sequence: bigint;
  episode: number;
  step: number;
  /** Gradient updates the critic had had. */
  updates: bigint;
  reward: number;
}

/** Messages by ROS 2 type name. */
export interface MessageTypes {
  'std_msgs/msg/Bool': Bool;
  'std_msgs/msg/Header': Header;
  'std_msgs/msg/String': StringMessage;
  'std_msgs/msg/Float64': Float64Message;
  'std_msgs/msg/Float64MultiArray': Float64MultiArray;
  'sensor_msgs/msg/JointState': JointState;
  'sensor_msgs/msg/LaserScan': LaserScan;
  'sensor_msgs/msg/Imu': Imu;
  'sensor_msgs/msg/Joy': Joy;
  'sensor_msgs/msg/Image': Image;
  'sensor_msgs/msg/CompressedImage': CompressedImage;
  'geometry_msgs/msg/Twist': Twist;
  'geometry_msgs/msg/TwistStamped': TwistStamped;
  'geometry_msgs/msg/PoseStamped': PoseStamped;
  'nav_msgs/msg/Odometry': Odometry;
  'trajectory_msgs/msg/JointTrajectory': JointTrajectory;
  'control_msgs/msg/JointJog': JointJog;
  'rosgraph_msgs/msg/Clock': Clock;
  'diagnostic_msgs/msg/DiagnosticArray': DiagnosticArray;
  'iq_learn/msg/EpisodeEvent': EpisodeEvent;
  'iq_learn/msg/Transition': Transition;
  'iq_learn/msg/PolicyBundle': PolicyBundleMessage;
  'iq_learn/msg/PolicyStatus': PolicyStatus;
  'iq_learn/msg/LearnerStatus': LearnerStatus;
  'iq_learn/msg/Intervention': Intervention;
  'iq_learn/msg/TaskState': TaskState;
  'iq_learn/msg/RecoveredReward': RecoveredReward;
}
export type MessageTypeName = keyof MessageTypes;

// A record, so that the compiler refuses a type that is missing here.
const known: Record<MessageTypeName, true> = {
  'std_msgs/msg/Bool': true,
  'std_msgs/msg/Header': true,
  'std_msgs/msg/String': true,
  'std_msgs/msg/Float64': true,
  'std_msgs/msg/Float64MultiArray': true,
  'sensor_msgs/msg/JointState': true,
  'sensor_msgs/msg/LaserScan': true,
  'sensor_msgs/msg/Imu': true,
  'sensor_msgs/msg/Joy': true,
  'sensor_msgs/msg/Image': true,
  'sensor_msgs/msg/CompressedImage': true,
  'geometry_msgs/msg/Twist': true,
  'geometry_msgs/msg/TwistStamped': true,
  'geometry_msgs/msg/PoseStamped': true,
  'nav_msgs/msg/Odometry': true,
  'trajectory_msgs/msg/JointTrajectory': true,
  'control_msgs/msg/JointJog': true,
  'rosgraph_msgs/msg/Clock': true,
  'diagnostic_msgs/msg/DiagnosticArray': true,
  'iq_learn/msg/EpisodeEvent': true,
  'iq_learn/msg/Transition': true,
  'iq_learn/msg/PolicyBundle': true,
  'iq_learn/msg/PolicyStatus': true,
  'iq_learn/msg/LearnerStatus': true,
  'iq_learn/msg/Intervention': true,
  'iq_learn/msg/TaskState': true,
  'iq_learn/msg/RecoveredReward': true,
};

/** Every message type this package can encode and decode. */
export const messageTypeNames = Object.keys(known) as MessageTypeName[];

/** Whether `type` is one of {@link messageTypeNames}. */
export function isMessageTypeName(type: string): type is MessageTypeName {
  return Object.hasOwn(known, type);
}

export interface TriggerResponse {
  success: boolean;
  message: string;
}

/** rcl_interfaces/msg/ParameterValue: `type` says which of the values counts. */
export interface RosParameterValue {
  type: number;
  bool_value: boolean;
  integer_value: bigint;
  double_value: number;
  string_value: string;
  byte_array_value: number[];
  bool_array_value: boolean[];
  integer_array_value: bigint[];
  double_array_value: number[];
  string_array_value: string[];
}

/** Services by ROS 2 type name. */
export interface ServiceTypes {
  'std_srvs/srv/Trigger': { request: Record<string, never>; response: TriggerResponse };
  'std_srvs/srv/SetBool': { request: { data: boolean }; response: TriggerResponse };
  /** Starts a fresh episode (simulator, recorder): seed -1 lets the server choose. */
  'iq_learn/srv/StartEpisode': {
    request: { seed: bigint };
    response: { success: boolean; message: string; episode: number };
  };
  /** Has the policy node check a policy bundle's folder and act with it from the next step on. */
  'iq_learn/srv/LoadPolicy': {
    request: { path: string };
    response: { success: boolean; message: string; policy_version: bigint };
  };
  // ROS 2's own, for who conducts other nodes.
  'lifecycle_msgs/srv/ChangeState': {
    request: { transition: { id: number; label: string } };
    response: { success: boolean };
  };
  'lifecycle_msgs/srv/GetState': {
    request: Record<string, never>;
    response: { current_state: { id: number; label: string } };
  };
  'rcl_interfaces/srv/SetParametersAtomically': {
    request: { parameters: { name: string; value: RosParameterValue }[] };
    response: { result: { successful: boolean; reason: string } };
  };
}
export type ServiceTypeName = keyof ServiceTypes;
