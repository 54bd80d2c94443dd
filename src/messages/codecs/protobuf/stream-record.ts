import type { ProtobufReader } from './bytes.js';

type Read = (reader: ProtobufReader, end: number) => Record<string, unknown>;

const NO_BYTES = new Uint8Array(0);

/**
 * Reads a StreamRecord, whose payload is a view of the bytes of its batch: there are hundreds in each batch, and a buffer of
 * its own for each would cost more than reading what is in it. Records with other fields than their three, and bytes that
 * are none, are left to `general`, which reads any message.
 */
export function streamRecordReader(general: Read): Read {
  return (reader, end) => {
    const start = reader.position;
    let sequence = 0n;
    let topic = '';
    let payload: Uint8Array = NO_BYTES;
    let known = true;
    while (known && reader.position < end) {
      const tag = reader.tag();
      if (tag === 8) sequence = reader.uint64();
      else if (tag === 18) topic = reader.text();
      else if (tag === 26) payload = reader.view();
      else known = false;
    }
    if (known && reader.position === end) return { sequence, topic, payload };
    reader.position = start;
    return general(reader, end);
  };
}
