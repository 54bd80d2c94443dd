export {
  type DemonstrationOptions,
  type Demonstrations,
  runDemonstrations,
  startSeed,
} from './demonstration-session.js';
export { EpisodeFollower, type EpisodeOutcome, type EpisodeTrace, type PoseSample } from './episode-follower.js';
export { type Candidate, type EvaluationOptions, evaluate } from './evaluation-session.js';
export {
  createArmStage,
  createRoverStage,
  type GazeboStage,
  GazeboTaskNode,
  type GazeboTaskParameters,
  type GazeboWorld,
  gazeboTaskSchema,
  type StageMaker,
  type StageParts,
} from './gazebo/index.js';
export { LearnerNode, type LearnerParameters, learnerSchema } from './learner.js';
export type {
  LearningOptions,
  LearningProgress,
  LearningStart,
  RecoveredRewards,
  Segment,
  Standing,
} from './learner-protocol.js';
export { type LearningClient, type LearningEvents, LearningProcess } from './learning-process.js';
export { type Diagnosis, diagnosticLevel, LifecycleNode, type LifecycleState, type NodeContext } from './lifecycle.js';
export { PolicyNode } from './policy.js';
export { type PolicyParameters, policySchema } from './policy-parameters.js';
export { RecorderNode, type RecorderParameters, recorderSchema } from './recorder.js';
export { SimulatorNode, type SimulatorParameters, simulatorSchema } from './simulator.js';
export type { StageOptions } from './stage.js';
export { type Driver, TeleopNode, type TeleopParameters, teleopSchema } from './teleop.js';
export { services, topics } from './topics.js';
export {
  learningEpisode,
  type Rollout,
  runTraining,
  type TrainingEvaluation,
  type TrainingOptions,
  type TrainingOutcome,
  type TrainingPoint,
  TrainingSession,
} from './training-session.js';
