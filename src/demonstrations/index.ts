export type { ReadOptions } from './choose-topics.js';
export { checkNewDescription, robotNameOf, writeDescription } from './draft-file.js';
export { type EditSummary, type Stretch, writeRecording } from './edit.js';
export type { DemonstrationEpisode } from './episode.js';
export { readDemonstrations } from './episodes.js';
export type { Finding } from './finding.js';
export { describeFinding, lintDemonstrations, refusePoorDemonstrations } from './lint.js';
export { episodeMarkers, type MarkedEpisode } from './markers.js';
export { importNpz, type NumpyArray, readNpz } from './npz.js';
export { encodeNpzDemonstrations, exportNpz, type NpzEpisode } from './npz-output.js';
export type { RecordingFile } from './recording-file.js';
export { isRecordingFile } from './recording-files.js';
export type { RecordingOptions, RecordingSummary } from './recording-options.js';
export {
  openRecording,
  type RecordedMessage,
  type RecordedTopic,
  type RecordingInfo,
  RecordingReader,
} from './recording-reader.js';
export { episodeTopic, RecordingWriter } from './recording-writer.js';
export { type Recovery, recover } from './recover.js';
export type { DemonstrationReport, RecordingReport } from './report.js';
export { describeLoss, summariseRecording } from './summary.js';
export type { SampleReport, TickProblem } from './tick.js';
export { surveyRecording, TopicSurvey } from './topic-survey.js';
