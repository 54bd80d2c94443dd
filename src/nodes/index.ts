export { type Driver, ExpertNode, type ExpertParameters, expertSchema } from './expert/expert-node.js';
export { LearnerGateway } from './gateway/learner-gateway.js';
export type { LearnerGatewayParts, RobotView } from './gateway/learner-gateway-parts.js';
export { LocalRecords } from './gateway/local-records.js';
export { RobotGateway } from './gateway/robot-gateway.js';
export {
  type RobotGatewayParameters,
  type RobotGatewayParts,
  robotGatewaySchema,
} from './gateway/robot-gateway-parts.js';
export { EpisodeFollower, type Followed } from './kit/episode-follower.js';
export {
  type Diagnosis,
  diagnosticLevel,
  LifecycleNode,
  type LifecycleState,
  type NodeContext,
} from './kit/lifecycle.js';
export { services, topics } from './kit/topics.js';
export { transitionObservations } from './kit/transition-observation.js';
export {
  addSlice,
  isSlice,
  type RobotSlice,
  rowShape,
  type StackedTransitions,
  stackTransitions,
  type TransitionPiece,
} from './kit/transition-pieces.js';
export { LearnerNode } from './learner/learner-node.js';
export { type LearnerParameters, learnerSchema } from './learner/parameters.js';
export type { ActionReplay } from './policy/action-source.js';
export { type PolicyParameters, policySchema } from './policy/parameters.js';
export { PolicyNode } from './policy/policy-node.js';
export { RecordedActions, type RecordedMotion } from './policy/recorded-actions.js';
export { RecorderNode, type RecorderParameters, recorderSchema } from './recorder/recorder-node.js';
export { GazeboTaskNode, type GazeboTaskParameters, gazeboTaskSchema } from './simulator/gazebo-task-node.js';
export { type SimulatorParameters, simulatorSchema } from './simulator/parameters.js';
export { SimulatorNode } from './simulator/simulator-node.js';
export { type Request, requests } from './supervisor/buttons.js';
export {
  type EndedEpisode,
  type EpisodeCounts,
  keptOf,
  noEpisodes,
  type Verdict,
} from './supervisor/episode-machine.js';
export { supervisorSchema } from './supervisor/parameters.js';
export { type EpisodeHooks, SupervisorNode, type SupervisorParameters } from './supervisor/supervisor-node.js';
