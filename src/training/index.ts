export {
  checkpointSegments,
  environmentPace,
  type RunLength,
  type RunPlan,
  runConfig,
  runPlan,
  startLearner,
  updateTelling,
} from './contract.js';
export { type DrivenEpisode, driveEpisodes } from './driven-episodes.js';
export { oneHot } from './environment-actions.js';
export { environmentContract } from './environment-contract.js';
export { EnvironmentTrainer } from './environment-trainer.js';
export { type EvaluatedEpisode, evaluateOnTask } from './evaluation.js';
export { EventLoopTurns } from './event-loop-turns.js';
export { type ExpertEpisode, expertEpisodes } from './expert-episodes.js';
export { npzEpisodes } from './npz-episodes.js';
export { learnOffline, type OfflineOutcome, type OfflineProgress } from './offline.js';
export type { LearningEvents } from './process/client.js';
export { type LearningClient, TrainingProcess } from './process/client.js';
export type { LearningOptions, LearningProgress, RecoveredRewards, Segment, SessionState } from './process/protocol.js';
export type { CandidateEpisode, CandidateScore, ComparedScore } from './progress/candidate-score.js';
export {
  CandidateChoice,
  type CandidateOptions,
  type CandidateStarts,
  type ChoiceEvents,
  candidateVersions,
} from './progress/candidates.js';
export { type EnvironmentCandidateOptions, environmentCandidates } from './progress/environment-candidates.js';
export { type Distance, notCompared, OccupancyDistance } from './progress/occupancy-distance.js';
export { RolloutChoice, type RolloutChoiceOptions, type RolloutScore } from './progress/rollout-choice.js';
export { evaluationSeeds, runSeed } from './seeds.js';
export { fromStatesAlone, learnsFromStatesAlone, type StatesOnly, statesOnlyWays } from './states-only.js';
