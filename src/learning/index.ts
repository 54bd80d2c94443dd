export { Actor } from './actor.js';
export type { Agent, Spaces } from './agent.js';
export { type AgentName, agentNames } from './agents/index.js';
export {
  behaviouralCloning,
  type CloningOptions,
  type CloningSettings,
  cloningSettingsOf,
} from './behavioural-cloning.js';
export { type Episode, numbersOf } from './data/episode.js';
export { identityNormalisation, type Normalisation, normalisationOf } from './data/normalisation.js';
export { Learner, type LearnerOptions, type LearnerTransition, type Metrics } from './learner.js';
export { adamCoefficients } from './optimiser/adam.js';
export {
  agentDefinition,
  createAgent,
  type LearnerConfig,
  type LearnerSettings,
  learnerConfig,
  learnerConfigSchema,
  learnerSchemas,
} from './settings.js';
