import { crc32 } from '../platform/index.js';

/**
 * `state` may be dropped first when the spool is full (transitions of the policy: there will be others); `demonstration`
 * last (what a person did, and where episodes begin and end).
 */
export type RecordClass = 'state' | 'demonstration';

export interface SpoolRecord {
  readonly sequence: bigint;
  readonly class: RecordClass;
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Before each record: its length behind the header, a checksum of what follows, its sequence number, class, topic's length. */
const HEADER = 4 + 4 + 8 + 1 + 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function sizeOf({ topic, payload }: Pick<SpoolRecord, 'topic' | 'payload'>): number {
  return HEADER + topic.length + payload.length;
}

/** The bytes of a record in a file of the spool, little-endian. */
export function encodeRecord({ sequence, class: kind, topic, payload }: SpoolRecord): Uint8Array {
  const name = encoder.encode(topic);
  const bytes = new Uint8Array(HEADER + name.length + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name.length + payload.length, true);
  view.setBigUint64(8, sequence, true);
  bytes[16] = kind === 'state' ? 0 : 1;
  bytes[17] = name.length;
  bytes.set(name, HEADER);
  bytes.set(payload, HEADER + name.length);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** The record at `offset` and where the next one begins; null where no whole record is there. */
export function decodeRecord(bytes: Uint8Array, offset: number): { record: SpoolRecord; end: number } | null {
  if (offset + HEADER > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const end = offset + HEADER + view.getUint32(0, true);
  const nameLength = bytes[offset + 17]!;
  if (end > bytes.length || offset + HEADER + nameLength > end) return null;
  if (crc32(bytes.subarray(offset + 8, end)) !== view.getUint32(4, true)) return null;
  const name = bytes.subarray(offset + HEADER, offset + HEADER + nameLength);
  return {
    record: {
      sequence: view.getBigUint64(8, true),
      class: bytes[offset + 16] === 0 ? 'state' : 'demonstration',
      topic: decoder.decode(name),
      payload: bytes.slice(offset + HEADER + nameLength, end),
    },
    end,
  };
}
