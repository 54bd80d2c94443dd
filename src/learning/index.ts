export { Actor } from './actor.js';
export { type Agent, type AgentDefinition, type BatchRows, defineAgent, type Spaces } from './agent.js';
export { type AgentName, agentNames } from './agents/index.js';
export {
  behaviouralCloning,
  type CloningOptions,
  type CloningSettings,
  cloningSettingsOf,
} from './behavioural-cloning.js';
export { type Episode, numbersOf, observationAt } from './data/episode.js';
export { identityNormalisation, type Normalisation, normalisationOf } from './data/normalisation.js';
export type { Rollback } from './divergence-guard.js';
export { Learner, type LearnerOptions, type LearnerRows, type LearnerTransition, type Metrics } from './learner.js';
export { divergenceNames } from './losses/divergences.js';
export {
  initialParameters,
  joinParameters,
  type Layout,
  mlpLayout,
  splitParameters,
} from './networks/parameters.js';
export { gaussianPolicy } from './networks/policies.js';
export { policyGaussian } from './networks/squashed-gaussian.js';
export { adam, adamCoefficients } from './optimiser/adam.js';
export { gradientsOf } from './optimiser/gradients.js';
export type { RewardExportOptions } from './reward-export.js';
export {
  agentDefinition,
  createAgent,
  type LearnerConfig,
  type LearnerSettings,
  learnerConfig,
  learnerConfigSchema,
  learnerSchemas,
  registerAgent,
} from './settings.js';
