export { type DemonstrationOptions, type Demonstrations, runDemonstrations } from './demonstration-session.js';
export type { EpisodeOutcome, EpisodeTrace, PoseSample } from './episode-follower.js';
export { type Candidate, type EvaluationOptions, evaluate } from './evaluation-session.js';
export * from './gazebo/index.js';
export { LearnerNode, type LearnerParameters } from './learner.js';
export type { LearningOptions, LearningProgress, LearningStart, Segment, Standing } from './learner-protocol.js';
export { type LearningClient, type LearningEvents, LearningProcess } from './learning-process.js';
export { type Diagnosis, diagnosticLevel, LifecycleNode, type LifecycleState, type NodeContext } from './lifecycle.js';
export { PolicyNode } from './policy.js';
export { type PolicyParameters, policySchema } from './policy-parameters.js';
export { RecorderNode, type RecorderParameters } from './recorder.js';
export { SimulatorNode, type SimulatorParameters } from './simulator.js';
export type { StageOptions } from './stage.js';
export { type Driver, TeleopNode, type TeleopParameters } from './teleop.js';
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
