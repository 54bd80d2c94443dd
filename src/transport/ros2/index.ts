export { openRos2 } from './open.js';
export type {
  LifecycleCallbacks,
  LifecycleStateName,
  ParameterDeclaration,
  ParameterType,
  ParameterValue,
  ParameterVerdict,
  Ros2Node,
  Ros2Options,
} from './types.js';
