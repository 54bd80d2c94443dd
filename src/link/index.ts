export {
  accessOf,
  emqxAccess,
  emqxAccessWith,
  type Fleet,
  mosquittoAccess,
  mosquittoAccessWith,
  type Permission,
  permissions,
} from './access.js';
export { BacklogGate, type BacklogGateOptions } from './backlog-gate.js';
export { ClockOffset } from './clock-offset.js';
export { type LearnerLinkFile, type LinkFile, linkSchema, type RobotLinkFile } from './configuration.js';
export { type Pace, paceOf } from './pace.js';
export { type StreamPlace, StreamReceiver, type StreamRecord } from './receiver.js';
export { classOf, decodeRecorded, encodeRecorded, type StreamTopic, streamTopics } from './recorded.js';
export {
  RecordingReceiver,
  type RecordingReceiverOptions,
  type RecordingStore,
  recordingName,
} from './recording-receiver.js';
export {
  type OfferedRecording,
  type RecordingChunk,
  type RecordingFigures,
  type RecordingPosition,
  RecordingSender,
  type RecordingSenderOptions,
  type RecordingSource,
} from './recording-sender.js';
export { type StreamBatch, type StreamPosition, StreamSender, type StreamStanding } from './sender.js';
export { createSigningKeys, PolicySigner, PolicyVerifier, type SignedPolicy } from './signing.js';
export { Spool, type SpoolFigures, type SpoolOptions, type StreamSource } from './spool.js';
export type { RecordClass, SpoolRecord } from './spool-record.js';
export { FLEET_SERVICE, linkLimits, linkTopics } from './topics.js';
