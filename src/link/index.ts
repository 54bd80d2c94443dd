export { ClockOffset } from './clock-offset.js';
export { type StreamPlace, StreamReceiver, type StreamRecord } from './receiver.js';
export { type StreamBatch, type StreamPosition, StreamSender } from './sender.js';
export { createSigningKeys, PolicySigner, PolicyVerifier, type SignedPolicy } from './signing.js';
export { Spool, type SpoolFigures, type SpoolOptions, type StreamSource } from './spool.js';
export type { RecordClass, SpoolRecord } from './spool-record.js';
export { linkLimits, linkTopics } from './topics.js';
