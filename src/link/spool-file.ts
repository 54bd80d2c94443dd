import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { countBefore } from '../common/index.js';
import { writeFileAtomic } from '../platform/index.js';
import { decodeRecord, encodeRecord, type RecordClass, type SpoolRecord, sizeOf } from './spool-record.js';

interface Entry {
  readonly sequence: bigint;
  readonly class: RecordClass;
  readonly offset: number;
  readonly size: number;
}

/** The name of the file whose first record has, or will have, this sequence number. */
export function fileName(first: bigint): string {
  return `${String(first).padStart(20, '0')}.spool`;
}

/** One file of the spool: whole records one after the other, and an index of them in memory. */
export class SpoolFile {
  readonly first: bigint;
  readonly #path: string;
  #entries: Entry[] = [];
  #bytes = 0;
  #handle: number;

  /** Opens the file, or makes it. Bytes behind its last whole record, which a crash left, are cut off. */
  constructor(folder: string, first: bigint) {
    this.first = first;
    this.#path = join(folder, fileName(first));
    this.#handle = openSync(this.#path, 'a+');
    const bytes = readFileSync(this.#path);
    for (let next = decodeRecord(bytes, 0); next !== null; next = decodeRecord(bytes, this.#bytes)) {
      this.#note(next.record, next.end - this.#bytes);
    }
    if (bytes.length > this.#bytes) ftruncateSync(this.#handle, this.#bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Sequence number of the last record; the one before {@link first} where there is none. */
  get last(): bigint {
    return this.#entries.at(-1)?.sequence ?? this.first - 1n;
  }

  /** Of the first record that is still there. */
  get earliest(): bigint | undefined {
    return this.#entries[0]?.sequence;
  }

  countOf(kind: RecordClass): number {
    return this.#entries.filter((entry) => entry.class === kind).length;
  }

  /** Records up to `sequence`. */
  countUpTo(sequence: bigint): number {
    return this.#indexAfter(sequence);
  }

  bytesUpTo(sequence: bigint): number {
    return this.#entries[this.#indexAfter(sequence)]?.offset ?? this.#bytes;
  }

  /** Appends a record; a file that the disk has no space for stays as it was. Throws what the file system throws. */
  append(record: SpoolRecord): void {
    const bytes = encodeRecord(record);
    try {
      let written = 0;
      while (written < bytes.length) written += writeSync(this.#handle, bytes, written);
    } catch (cause) {
      ftruncateSync(this.#handle, this.#bytes);
      throw cause;
    }
    this.#note(record, bytes.length);
  }

  /** The sequence number before the first record after `after`: that of the record before it, here or elsewhere undefined. */
  before(after: bigint): bigint | undefined {
    return this.#entries[this.#indexAfter(after) - 1]?.sequence;
  }

  /** Records after `after`, at most about `maxBytes`, at least one if there is one. */
  read(after: bigint, maxBytes: number): SpoolRecord[] {
    const from = this.#indexAfter(after);
    const start = this.#entries[from];
    if (start === undefined) return [];
    let to = from + 1;
    let end = start.offset + start.size;
    for (; to < this.#entries.length; to++) {
      const next = this.#entries[to]!;
      if (next.offset + next.size - start.offset > maxBytes) break;
      end = next.offset + next.size;
    }
    const bytes = new Uint8Array(end - start.offset);
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(this.#handle, bytes, read, bytes.length - read, start.offset + read);
      if (count === 0) break;
      read += count;
    }
    const records: SpoolRecord[] = [];
    for (
      let next = decodeRecord(bytes, 0), at = 0;
      next !== null && at < bytes.length;
      next = decodeRecord(bytes, at)
    ) {
      records.push(next.record);
      at = next.end;
    }
    return records;
  }

  /** Rewrites the file without the records of one class: whole or not at all. Returns how many went. */
  without(kind: RecordClass): number {
    const kept = this.read(-1n, Number.POSITIVE_INFINITY).filter((record) => record.class !== kind);
    const gone = this.count - kept.length;
    if (gone === 0) return 0;
    const bytes = new Uint8Array(kept.reduce((sum, record) => sum + sizeOf(record), 0));
    let at = 0;
    for (const record of kept) {
      const encoded = encodeRecord(record);
      bytes.set(encoded, at);
      at += encoded.length;
    }
    writeFileAtomic(this.#path, bytes.subarray(0, at));
    closeSync(this.#handle);
    this.#handle = openSync(this.#path, 'a+');
    this.#entries = [];
    this.#bytes = 0;
    for (const record of kept) this.#note(record, sizeOf(record));
    return gone;
  }

  flush(): void {
    fsyncSync(this.#handle);
  }

  close(): void {
    closeSync(this.#handle);
  }

  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  /** Whether the file on the disk has the length that is expected, for tests. */
  get isWhole(): boolean {
    return statSync(this.#path).size === this.#bytes;
  }

  #note(record: SpoolRecord, size: number): void {
    this.#entries.push({ sequence: record.sequence, class: record.class, offset: this.#bytes, size });
    this.#bytes += size;
  }

  /** Index of the first record after `sequence`. */
  #indexAfter(sequence: bigint): number {
    return countBefore(this.#entries.length, (i) => this.#entries[i]!.sequence <= sequence);
  }
}
