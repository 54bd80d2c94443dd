import { McapConstants, McapStreamReader, type McapTypes } from '@mcap/core';
import { crc32, type InputFile } from '../platform/index.js';

const { Opcode, MCAP_MAGIC } = McapConstants;
/** The kind of a record (one byte) and the length of what follows (eight bytes). */
export const frameHeadBytes = 9;
/** The end of a whole file: the footer record and the magic. */
const footerBytes = frameHeadBytes + 20;
const pieceBytes = 256 * 1024;

/** The bytes of a file by their places, read in large pieces. */
export class FileWindow {
  readonly size: number;
  readonly #file: InputFile;
  #piece = new Uint8Array(0);
  #from = 0;

  constructor(file: InputFile) {
    this.#file = file;
    this.size = file.size;
  }

  /** `length` bytes from `at`, fewer where the file ends; valid until the next call. A promise only where they have to be read. */
  bytes(at: number, length: number): Uint8Array | Promise<Uint8Array> {
    const from = at - this.#from;
    return from < 0 || from + length > this.#piece.length
      ? this.#read(at, length)
      : this.#piece.subarray(from, from + length);
  }

  async #read(at: number, length: number): Promise<Uint8Array> {
    const piece = new Uint8Array(Math.max(0, Math.min(Math.max(length, pieceBytes), this.size - at)));
    let filled = 0;
    while (filled < piece.length) {
      const read = await this.#file.read(piece.subarray(filled), at + filled);
      if (read === 0) break;
      filled += read;
    }
    this.#piece = piece.subarray(0, filled);
    this.#from = at;
    return this.#piece.subarray(0, length);
  }
}

/** Whether bytes are the magic that an MCAP file begins and ends with. */
export function isMagic(bytes: Uint8Array): boolean {
  return bytes.length === MCAP_MAGIC.length && MCAP_MAGIC.every((byte, i) => bytes[i] === byte);
}

export function frameHead(bytes: Uint8Array): { readonly opcode: number; readonly length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { opcode: view.getUint8(0), length: Number(view.getBigUint64(1, true)) };
}

/** What the end of a whole file says about the rest. It repeats what a damaged chunk may have taken away. */
export interface Summary {
  /** Where it begins: the end of the data. */
  readonly start: number;
  /** The lengths of the chunks by their places in the file, in order. */
  readonly chunks: ReadonlyMap<number, number>;
  readonly schemas: readonly McapTypes.TypedMcapRecords['Schema'][];
  readonly channels: readonly McapTypes.TypedMcapRecords['Channel'][];
}

/** Reads the summary of a file. Null where there is none, as in a file that was cut; 'damaged' where its checksum is wrong. */
export async function readSummary(window: FileWindow): Promise<Summary | null | 'damaged'> {
  const end = window.size - MCAP_MAGIC.length;
  const footerAt = end - footerBytes;
  if (footerAt < 0 || !isMagic(await window.bytes(end, MCAP_MAGIC.length))) return null;
  const footer = Uint8Array.from(await window.bytes(footerAt, footerBytes));
  const { opcode, length } = frameHead(footer);
  if (opcode !== Opcode.FOOTER || length !== 20) return 'damaged';
  const view = new DataView(footer.buffer, frameHeadBytes);
  const start = Number(view.getBigUint64(0, true));
  const checksum = view.getUint32(16, true);
  if (start === 0) return null;
  if (start > footerAt) return 'damaged';
  const bytes = Uint8Array.from(await window.bytes(start, footerAt - start));
  if (checksum !== 0 && crc32(footer.subarray(0, footerBytes - 4), crc32(bytes)) !== checksum) return 'damaged';
  try {
    return summaryOf(start, bytes);
  } catch {
    return 'damaged';
  }
}

function summaryOf(start: number, bytes: Uint8Array): Summary {
  const chunks: [number, number][] = [];
  const schemas: McapTypes.TypedMcapRecords['Schema'][] = [];
  const channels: McapTypes.TypedMcapRecords['Channel'][] = [];
  const stream = new McapStreamReader({ noMagicPrefix: true });
  stream.append(bytes);
  for (let record = stream.nextRecord(); record !== undefined; record = stream.nextRecord()) {
    if (record.type === 'Schema') schemas.push(record);
    else if (record.type === 'Channel') channels.push(record);
    else if (record.type === 'ChunkIndex') chunks.push([Number(record.chunkStartOffset), Number(record.chunkLength)]);
  }
  return { start, chunks: new Map(chunks.sort(([a], [b]) => a - b)), schemas, channels };
}
