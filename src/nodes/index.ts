export { type Driver, ExpertNode, type ExpertParameters, expertSchema } from './expert/expert-node.js';
export {
  type Diagnosis,
  diagnosticLevel,
  LifecycleNode,
  type LifecycleState,
  type NodeContext,
} from './kit/lifecycle.js';
export { services, topics } from './kit/topics.js';
export { LearnerNode, type LearnerParameters, learnerSchema } from './learner/learner-node.js';
export type { ActionReplay } from './policy/action-source.js';
export { type PolicyParameters, policySchema } from './policy/parameters.js';
export { PolicyNode } from './policy/policy-node.js';
export { RecorderNode, type RecorderParameters, recorderSchema } from './recorder/recorder-node.js';
export { createGazeboArm } from './simulator/gazebo/gazebo-arm.js';
export type { GazeboRobot, GazeboRobotFactory, GazeboRobotParts } from './simulator/gazebo/gazebo-robot.js';
export { createGazeboRover } from './simulator/gazebo/gazebo-rover.js';
export { GazeboTaskNode, type GazeboTaskParameters, gazeboTaskSchema } from './simulator/gazebo/gazebo-task.js';
export type { GazeboWorld } from './simulator/gazebo/world.js';
export { SimulatorNode, type SimulatorParameters, simulatorSchema } from './simulator/simulator-node.js';
