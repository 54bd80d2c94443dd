export { candidateOf, expertCandidate, randomCandidate } from './candidates.js';
export type { EpisodeResult } from './data.js';
export {
  type ChoicePoint,
  type LearningCurves,
  type LearningPoint,
  labelOf,
  type Path,
  type PolicyResult,
  type ReportCandidate,
  type ReportData,
  type RewardTrace,
  type RolloutPoint,
  type SceneReplay,
  type Setting,
  type TopView,
} from './data.js';
export { renderReport } from './document.js';
export { count, duration, figure, meanAndDeviation, percent } from './format.js';
export { type SceneBody, sceneReplay } from './replay.js';
export { type Summary, summarise } from './statistics.js';
export { textColumns } from './text-columns.js';
export {
  isSuccess,
  renderTrials,
  simulatedResults,
  summariseTrials,
  type TrialResult,
  type TrialSummary,
  type TrialsData,
  trialTable,
} from './trials.js';
