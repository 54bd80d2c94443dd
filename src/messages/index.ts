export { decode, emptyMessage, encode, maxMessageBytes } from './codec.js';
export { checkSchema, schemaOf } from './definitions.js';
export {
  type Clock,
  type DiagnosticArray,
  type DiagnosticStatus,
  type EpisodeEvent,
  episodeEvent,
  type Header,
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
  type RecoveredReward,
  type RosParameterValue,
  type ServiceTypeName,
  type ServiceTypes,
  serviceTypeNames,
  type TaskState,
  type Transition,
  type Twist,
  type TwistStamped,
} from './generated/types.js';
export { isMessageTypeName } from './names.js';
export { header, nanosecondsOf, stampOf } from './time.js';
