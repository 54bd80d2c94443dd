export type { CandidateSettings } from './candidates.js';
export {
  type Conductor,
  conductDemonstrations,
  conductEvaluation,
  conductTraining,
  type EpisodeOutcome,
  TransportConductor,
} from './conductor.js';
export { runDemonstrations } from './demonstrate.js';
export type { EpisodeTrace } from './episode-tracer.js';
export { type Candidate, type EvaluationOptions, evaluate, runTrials } from './evaluate.js';
export { type ExpertDriver, expertDriver } from './experts.js';
export { DataCheck, type DataState } from './fleet/data-check.js';
export { dataReference, type FeatureReference } from './fleet/data-reference.js';
export { type FleetEpisode, FleetEpisodes } from './fleet/fleet-episodes.js';
export {
  Rollout as PolicyRollout,
  type RolloutPolicy,
  type RolloutSettings,
  type RolloutState,
} from './fleet/rollout.js';
export { learningEpisode } from './learning-episode.js';
export { learningPolicyParameters } from './learning-policy.js';
export { trainingSettings } from './presets.js';
export type { RigOptions } from './rig.js';
export { rolloutCandidates } from './rollout-candidates.js';
export { runFields, withSettingsFile } from './settings-file.js';
export { TrainingSession } from './train.js';
export type { ComparedCandidate, Rollout, TrainingOptions, TrainingPoint } from './training-options.js';
export { Trials, type TrialsOptions } from './trials.js';
export { usableDemonstrations } from './usable-demonstrations.js';
