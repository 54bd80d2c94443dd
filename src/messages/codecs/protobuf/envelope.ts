import type { ProtobufReader } from './bytes.js';

type Read = (reader: ProtobufReader, end: number) => Record<string, unknown>;

const NO_BYTES = new Uint8Array(0);

/**
 * Reads an Envelope, whose payload is a view of the bytes that it came in: it is decoded at once, and a copy of each would
 * cost as much as reading the rest. Envelopes with other fields than their seven, and bytes that are none, are left to
 * `general`, which reads any message.
 */
export function envelopeReader(general: Read): Read {
  return (reader, end) => {
    const start = reader.position;
    const value = { robot: '', sender: '', sequence: 0n, sent_ns: 0n, lifetime_ms: 0, type: '', payload: NO_BYTES };
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 10) value.robot = reader.text();
      else if (tag === 18) value.sender = reader.text();
      else if (tag === 24) value.sequence = reader.uint64();
      else if (tag === 32) value.sent_ns = reader.sint64();
      else if (tag === 40) value.lifetime_ms = reader.uint32();
      else if (tag === 50) value.type = reader.text();
      else if (tag === 58) value.payload = reader.view() as typeof NO_BYTES;
      else break;
    }
    if (reader.position === end) return value;
    reader.position = start;
    return general(reader, end);
  };
}
