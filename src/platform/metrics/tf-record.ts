import { maskedCrc32c } from './crc32c.js';

/** A length (8 bytes) with its checksum (4), before the data; the data's checksum (4) comes after them. */
const HEAD = 12;
const TAIL = 4;

/**
 * Frames data as a record of a TFRecord file: its length (uint64), the length's masked CRC-32C (uint32), the data, the
 * data's masked CRC-32C (uint32), all little-endian.
 */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEAD + data.byteLength + TAIL);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.byteLength), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, HEAD);
  view.setUint32(HEAD + data.byteLength, maskedCrc32c(data), true);
  return record;
}

/** The data of the records of a file, up to the first one that is cut off or damaged. */
export function decodeRecords(file: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at + HEAD + TAIL <= file.byteLength; ) {
    if (view.getUint32(at + 8, true) !== maskedCrc32c(file.subarray(at, at + 8))) break;
    const end = at + HEAD + Number(view.getBigUint64(at, true));
    if (end + TAIL > file.byteLength) break;
    const data = file.subarray(at + HEAD, end);
    if (view.getUint32(end, true) !== maskedCrc32c(data)) break;
    records.push(data);
    at = end + TAIL;
  }
  return records;
}
