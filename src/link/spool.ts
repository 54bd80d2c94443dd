import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { IqLearnError, messageOf, parseOrThrow } from '../common/index.js';
import { type FolderLock, lockFolder, writeFileAtomic } from '../platform/index.js';
import { SpoolFile } from './spool-file.js';
import { type RecordClass, type SpoolRecord, sizeOf } from './spool-record.js';

/** What {@link StreamSender} needs of a spool. */
export interface StreamSource {
  readonly epoch: bigint;
  /** Sequence number of the last record, 0 before the first. */
  readonly last: bigint;
  /** Records after `after`, in order, at most about `maxBytes`, and the number of the record before the first of them. */
  read(after: bigint, maxBytes: number): { readonly previous: bigint; readonly records: readonly SpoolRecord[] };
  /** The learner's side has everything up to here in a checkpoint: it may be forgotten. */
  confirm(upTo: bigint): void;
}

export interface SpoolOptions {
  readonly folder: string;
  /** What the spool may take on the disk, in bytes. */
  readonly maxBytes: number;
  /** Time of day in nanoseconds, from which a new spool takes its epoch. */
  readonly nowNs: () => bigint;
  readonly warn: (message: string) => void;
}

export interface SpoolFigures {
  readonly waiting: number;
  readonly bytes: number;
  /** Dropped because the spool was full, or the disk, since the spool was made. */
  readonly dropped: Readonly<Record<RecordClass, number>>;
}

const stateSchema = z.strictObject({
  format: z.literal('iq_learn spool 1'),
  epoch: z.string().regex(/^\d+$/),
  dropped: z.strictObject({ state: z.int().min(0), demonstration: z.int().min(0) }),
});

const FILES = 16;
const FLUSH_MS = 1000;
/** Sequence numbers left out at every start: more than are written between two flushes. */
const SKIP = 1_000_000n;

/**
 * The robot's memory of what the learner's side does not have yet: files of whole records in a folder, bounded in size.
 * A process that is killed at any moment finds everything again that was written, up to the last whole record; a machine
 * that loses its power, everything up to the last second. When the spool or the disk is full, the oldest transitions of the
 * policy are dropped first, and what a person demonstrated last; all of it is counted.
 */
export class Spool implements StreamSource {
  readonly epoch: bigint;
  readonly #options: SpoolOptions;
  readonly #lock: FolderLock;
  readonly #files: SpoolFile[];
  readonly #dropped: Record<RecordClass, number>;
  readonly #timer: NodeJS.Timeout;
  #confirmed = 0n;
  #unflushed = false;
  #failing = false;

  /** Throws CONFLICT where another process has the folder, IO, INVALID_CONFIG, and CORRUPT_DATA for a folder of others. */
  constructor(options: SpoolOptions) {
    const { folder, maxBytes, nowNs } = options;
    if (!(maxBytes >= 1024 * 1024))
      throw new IqLearnError('INVALID_CONFIG', 'the spool is too small', {
        found: `${maxBytes} bytes`,
        expected: 'at least 1 MB',
      });
    this.#options = options;
    this.#lock = lockFolder(folder);
    try {
      const stateFile = join(folder, 'spool.json');
      const state = existsSync(stateFile)
        ? parseOrThrow(stateSchema, json(readFileSync(stateFile, 'utf8')), {
            code: 'CORRUPT_DATA',
            what: `${stateFile} is damaged`,
            remedy: 'move the folder away; a new spool begins',
          })
        : undefined;
      this.epoch = state === undefined ? nowNs() : BigInt(state.epoch);
      this.#dropped = { state: 0, demonstration: 0, ...state?.dropped };
      if (state === undefined) this.#saveState();
      const firsts = readdirSync(folder)
        .map((name) => /^(\d{20})\.spool$/.exec(name)?.[1])
        .filter((first) => first !== undefined)
        .map((first) => BigInt(first))
        .sort((a, b) => (a < b ? -1 : 1));
      this.#files = firsts.map((first) => new SpoolFile(folder, first));
      // What a loss of power took may have been sent: its numbers are not given to other records.
      this.#files.push(new SpoolFile(folder, this.#files.length === 0 ? 1n : this.last + 1n + SKIP));
      for (const file of this.#files.slice(0, -1)) if (file.bytes === 0) this.#forget(file);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    this.#timer = setInterval(() => this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  get last(): bigint {
    return this.#newest.last;
  }

  get figures(): SpoolFigures {
    let [waiting, bytes] = [0, 0];
    for (const file of this.#files) {
      waiting += file.count - file.countUpTo(this.#confirmed);
      bytes += file.bytes - file.bytesUpTo(this.#confirmed);
    }
    return { waiting, bytes, dropped: { ...this.#dropped } };
  }

  /** Appends a record. One that the disk has no space for is dropped, after older ones made no space; never throws for that. */
  append(kind: RecordClass, topic: string, payload: Uint8Array): void {
    const record: SpoolRecord = { sequence: this.last + 1n, class: kind, topic, payload };
    const fileBytes = this.#options.maxBytes / FILES;
    if (this.#newest.bytes > 0 && this.#newest.bytes + sizeOf(record) > fileBytes) this.#roll();
    try {
      this.#newest.append(record);
      this.#failing = false;
    } catch (cause) {
      this.#full(record, cause);
      return;
    }
    this.#unflushed = true;
    while (this.#bytes > this.#options.maxBytes) if (!this.#dropOldest()) break;
  }

  read(after: bigint, maxBytes: number): { previous: bigint; records: SpoolRecord[] } {
    let previous = 0n;
    for (const file of this.#files) {
      const records = file.read(after, maxBytes);
      previous = file.before(after) ?? previous;
      if (records.length > 0) return { previous, records };
    }
    return { previous, records: [] };
  }

  confirm(upTo: bigint): void {
    if (upTo <= this.#confirmed) return;
    this.#confirmed = upTo;
    // The newest file stays: its name and last record hold the next sequence number.
    while (this.#files.length > 1 && this.#files[0]!.last <= upTo) this.#files.shift()!.remove();
    if (this.#newest.last <= upTo && this.#newest.bytes > this.#options.maxBytes / FILES / 2) this.#roll();
  }

  /** Has everything written on the disk. */
  flush(): void {
    if (!this.#unflushed) return;
    this.#unflushed = false;
    try {
      this.#newest.flush();
    } catch (error) {
      this.#options.warn(`the spool cannot be flushed: ${messageOf(error)}`);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
    for (const file of this.#files) file.close();
    this.#lock.release();
  }

  get #newest(): SpoolFile {
    return this.#files.at(-1)!;
  }

  get #bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #forget(file: SpoolFile): void {
    this.#files.splice(this.#files.indexOf(file), 1);
    file.remove();
  }

  #roll(): void {
    this.flush();
    try {
      this.#files.push(new SpoolFile(this.#options.folder, this.last + 1n));
    } catch (error) {
      this.#options.warn(`the spool cannot begin a file: ${messageOf(error)}`);
    }
  }

  #full(record: SpoolRecord, cause: unknown): void {
    if (!this.#failing) this.#options.warn(`the spool cannot be written: ${messageOf(cause)}; the oldest is dropped`);
    this.#failing = true;
    if (this.#dropOldest())
      try {
        this.#newest.append(record);
        return;
      } catch {
        // There is no space even so.
      }
    this.#dropped[record.class] += 1;
    // The number is not used: the stream has no gap, and the counter says what is missing.
  }

  /** Drops the transitions of the oldest file that has some, or else the oldest file. Returns false if there is nothing. */
  #dropOldest(): boolean {
    const old = this.#files.slice(0, -1);
    const file = old.find((each) => each.countOf('state') > 0);
    try {
      if (file !== undefined) this.#dropped.state += file.without('state');
      else {
        const oldest = old[0];
        if (oldest === undefined) return false;
        this.#dropped.demonstration += oldest.count;
        this.#files.shift();
        oldest.remove();
      }
      if (file?.count === 0) this.#forget(file);
      this.#saveState();
    } catch (error) {
      // A full disk has no space for the shorter file either: then the oldest file goes as a whole.
      const oldest = this.#files.length > 1 ? this.#files.shift() : undefined;
      if (oldest === undefined) return false;
      for (const kind of ['state', 'demonstration'] as const) this.#dropped[kind] += oldest.countOf(kind);
      oldest.remove();
      this.#options.warn(`a file of the spool is dropped: ${messageOf(error)}`);
    }
    return true;
  }

  #saveState(): void {
    const state = { format: 'iq_learn spool 1', epoch: String(this.epoch), dropped: this.#dropped };
    writeFileAtomic(join(this.#options.folder, 'spool.json'), `${JSON.stringify(state)}\n`);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
