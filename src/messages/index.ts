export { cdr } from './codecs/cdr/cdr.js';
export { type Codec, maxMessageBytes, type WireTypeName, type WireTypes } from './codecs/codec.js';
export { protobuf } from './codecs/protobuf/protobuf.js';
export { TransitionReader } from './codecs/protobuf/transition-reader.js';
export { checkSchema, schemaOf } from './definitions.js';
export { emptyMessage } from './empty-message.js';
export {
  type Clock,
  type CompressedImage,
  type DiagnosticArray,
  type DiagnosticStatus,
  type EpisodeEvent,
  episodeEvent,
  type Float64MultiArray,
  type Header,
  type Image,
  type Imu,
  type JointJog,
  type JointState,
  type JointTrajectory,
  type Joy,
  type LaserScan,
  type LearnerStatus,
  type MessageTypeName,
  type MessageTypes,
  messageTypeNames,
  type Odometry,
  type PolicyBundleMessage,
  type PolicyStatus,
  type PoseStamped,
  type Range,
  type RecoveredReward,
  type RosParameterValue,
  type ServiceTypeName,
  type ServiceTypes,
  serviceTypeNames,
  type TaskState,
  type TFMessage,
  type Transition,
  type Twist,
  type TwistStamped,
} from './generated/types.js';
export { decode, encode } from './messages.js';
export { isMessageTypeName, rosMessageTypeNames, rosServiceTypeNames } from './names.js';
export { header, nanosecondsOf, stampOf } from './time.js';
export { fact, TransitionRows, type TransitionShape, type TransitionSlice } from './transition-rows.js';
