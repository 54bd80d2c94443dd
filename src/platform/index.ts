export { type Checkpoint, generations, loadCheckpoint, saveCheckpoint } from './checkpoint-store.js';
export { crc32, gunzip, inflateRaw } from './compression.js';
export {
  cannotWrite,
  type FolderLock,
  isAlive,
  lockFolder,
  renameDurable,
  writeFileAtomic,
  writeFileDurable,
} from './files.js';
export { sha256 } from './hash.js';
export { createNodeLogger, type Logger, type LoggerOptions, type LogLevel, logLevels } from './logging.js';
export { machine, ownVersion, timestamp, versions } from './machine.js';
export { MetricMeans } from './metrics/metric-means.js';
export {
  defaultMetricsSinks,
  MetricsLog,
  type MetricsLogOptions,
  type MetricsSinkName,
  metricsSinkNames,
  parseMetricsSinks,
} from './metrics/metrics-log.js';
export { type EpisodeMetrics, type LearningMetrics, RunMetrics } from './metrics/run-metrics.js';
export type { MetricValues } from './metrics/sink.js';
export { basename, dirname, extname, join, resolve } from './paths.js';
export { checkPictureDecoder, type DecodedPicture, decodePicture } from './pictures.js';
export {
  type InputFile,
  kindOfPath,
  namesIn,
  openInput,
  packageFolder,
  readBytes,
  readJson,
  readText,
} from './reading.js';
export { TemporaryFolder } from './temporary.js';
export {
  createOutput,
  makeFolder,
  type OutputFile,
  removeEmptyFolders,
  removeFile,
  truncateFile,
  writeFilesTogether,
} from './writing.js';
