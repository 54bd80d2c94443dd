import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { IqLearnError } from '../../common/index.js';
import type { OfferedRecording, RecordingStore } from '../../link/index.js';
import { cannotWrite, renameDurable } from '../../platform/index.js';
import { hashOfFile } from './recording-source.js';

/** Space that is left free on the disk, for the run's checkpoints. */
const RESERVE_BYTES = 256 * 1024 * 1024;
/** Digits of the hash in a file's name, by which two recordings of one name are told apart. */
const DIGITS = 16;
const MOST_FILES = 10_000;

/** What tells one recording from another: the first digits of its hash. */
export const idOf = ({ sha256 }: Pick<OfferedRecording, 'sha256'>): string => sha256.slice(0, DIGITS);

/** The same, from the name of a file of {@link RecordingFolder}; undefined for another file. */
export const idInName = (path: string): string | undefined =>
  new RegExp(`-([0-9a-f]{${DIGITS}})\\.mcap$`).exec(path)?.[1];

export interface RecordingFolderOptions {
  /** The folder of one robot. */
  readonly folder: string;
  /** What all its files may take, in bytes. */
  readonly maxBytes: number;
  /** Free bytes of the disk that a folder is on. */
  readonly freeBytes?: (folder: string) => number;
}

const freeOf = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/**
 * The recordings of one robot in a folder of the learner's: `<name>-<hash>.mcap` where the hash of the whole was found right,
 * with `.part` behind it while it arrives. A process that is killed finds what had arrived.
 */
export class RecordingFolder implements RecordingStore {
  readonly #options: RecordingFolderOptions;

  constructor(options: RecordingFolderOptions) {
    this.#options = options;
  }

  path(recording: OfferedRecording): string {
    return join(this.#options.folder, `${recording.file.slice(0, -'.mcap'.length)}-${idOf(recording)}.mcap`);
  }

  /** Paths of the recordings that are there whole, in the order of their names. */
  list(): string[] {
    return this.#names()
      .filter((name) => name.endsWith('.mcap'))
      .toSorted()
      .map((name) => join(this.#options.folder, name));
  }

  has(recording: OfferedRecording): boolean {
    return existsSync(this.path(recording));
  }

  begin(recording: OfferedRecording): number {
    const { folder, maxBytes, freeBytes = freeOf } = this.#options;
    const part = this.#part(recording);
    this.#try(folder, () => mkdirSync(folder, { recursive: true }));
    for (const name of this.#names())
      if (name.endsWith('.part') && join(folder, name) !== part) rmSync(join(folder, name), { force: true });
    const names = this.#names().map((name) => join(folder, name));
    const taken = names.reduce((sum, path) => (path === part ? sum : sum + statSync(path).size), 0);
    if (taken + recording.size > maxBytes || names.length >= MOST_FILES)
      throw new IqLearnError('UNSUPPORTED', 'there is no room for more recordings of this robot', {
        found: `${names.length} files with ${taken} bytes in ${folder}, and one more of ${recording.size}`,
        expected: `at most ${MOST_FILES} files and ${maxBytes} bytes`,
        remedy: 'delete some there, or raise recordings.megabytes_per_robot in the file of the link; then start again',
      });
    const there = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
    if (there > recording.size) rmSync(part);
    const received = there > recording.size ? 0 : there;
    const free = freeBytes(folder);
    if (free < recording.size - received + RESERVE_BYTES)
      throw new IqLearnError('IO', 'the disk is nearly full', {
        found: `${free} bytes free on the disk of ${folder}`,
        expected: `${recording.size - received} for the recording, and ${RESERVE_BYTES} more`,
        remedy: 'make space; the robot tries again',
      });
    return received;
  }

  append(recording: OfferedRecording, data: Uint8Array): void {
    const part = this.#part(recording);
    this.#try(part, () => {
      const handle = openSync(part, 'a', 0o600);
      try {
        let written = 0;
        while (written < data.length) written += writeSync(handle, data, written);
      } finally {
        closeSync(handle);
      }
    });
  }

  async finish(recording: OfferedRecording): Promise<void> {
    const part = this.#part(recording);
    const found = await hashOfFile(part);
    if (found !== recording.sha256) {
      rmSync(part, { force: true });
      throw new IqLearnError('MISMATCH', `the recording ${recording.file} came damaged`, {
        found: `SHA-256 ${found}`,
        expected: recording.sha256,
        remedy: 'it is sent again',
      });
    }
    this.#try(part, () => {
      const handle = openSync(part, 'r+');
      try {
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameDurable(part, this.path(recording));
    });
  }

  #part(recording: OfferedRecording): string {
    return `${this.path(recording)}.part`;
  }

  #names(): string[] {
    const { folder } = this.#options;
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(folder).filter((name) => /\.mcap(\.part)?$/.test(name))
      : [];
  }

  #try(path: string, write: () => void): void {
    try {
      write();
    } catch (cause) {
      throw cannotWrite(path, cause, 'make space; the robot tries again');
    }
  }
}
