export { Actor } from './actor.js';
export { METRICS, type Objective } from './actor-critic.js';
export { adamCoefficients } from './adam.js';
export { type Algorithm, type AlgorithmSizes, actorCritic, softQ } from './algorithm.js';
export type { CloningLoss } from './behavioural-cloning.js';
export { type Checkpoint, generations, loadCheckpoint, saveCheckpoint } from './checkpoint.js';
export { behaviouralCloning, type CloningOptions } from './cloning.js';
export { type LearnerConfig, type LearnerSettings, learnerConfig, learnerConfigSchema } from './config.js';
export { criticLoss, valueBound } from './critic-loss.js';
export { type Environment, environmentOf } from './environment.js';
export { type Episode, Learner, type LearnerOptions, type LearnerTransition, type Metrics } from './learner.js';
export { identityNormalisation, type Normalisation, normalisationOf, normalise } from './normalisation.js';
export { type Layout, mlpLayout, type Part } from './parameters.js';
export type { PolicyFunction } from './policy-function.js';
export { type BatchTarget, type BufferRow, ReplayBuffer } from './replay-buffer.js';
export {
  type EpisodeEnd,
  episodeSeed,
  evaluateOnTask,
  TaskTraining,
  type TaskTrainingOptions,
} from './task-training.js';
