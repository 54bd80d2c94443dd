import type { ProtobufReader } from './bytes.js';
import { envelopeReader } from './envelope.js';
import { streamRecordReader } from './stream-record.js';

type Read = (reader: ProtobufReader, end: number) => Record<string, unknown>;

/** Types that come so often that they have a reader of their own, made from the general one. */
export const ownReaders: Readonly<Record<string, (general: Read) => Read>> = {
  'iq_learn_link/StreamRecord': streamRecordReader,
  'iq_learn_link/Envelope': envelopeReader,
};
