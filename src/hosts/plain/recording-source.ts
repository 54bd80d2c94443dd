import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { IqLearnError } from '../../common/index.js';
import { type OfferedRecording, type RecordingSource, recordingName } from '../../link/index.js';

interface Known {
  readonly offered: OfferedRecording;
  readonly path: string;
  /** Size and time of the last change, by which another file of the same name is noticed. */
  readonly mark: string;
}

/** SHA-256 of a file of any size, as 64 hexadecimal digits. Rejects with what the file system says. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

const markOf = ({ size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }): string => `${size} ${mtimeMs}`;

/**
 * The closed recordings in a robot's folder: of every recording in it, and of the folder itself where it is one, the MCAP
 * files. A recording is closed when it has its metadata.yaml, which the recorder writes last.
 */
export class RecordingFolderSource implements RecordingSource {
  readonly #folder: string;
  #known = new Map<string, Known>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<readonly OfferedRecording[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      // The recorder makes it with the first recording.
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(this.#folder, name));
    const known = new Map<string, Known>();
    for (const folder of [this.#folder, ...folders])
      for (const path of await this.#closed(folder)) {
        const facts = await stat(path);
        const mark = markOf(facts);
        const before = this.#known.get(path);
        if (before?.mark === mark) known.set(path, before);
        else if (facts.size > 0) {
          const offered = { file: recordingName(basename(path)), size: facts.size, sha256: await hashOfFile(path) };
          known.set(path, { offered, path, mark });
        }
      }
    this.#known = known;
    return [...known.values()].map(({ offered }) => offered);
  }

  async read({ sha256 }: OfferedRecording, offset: number, length: number): Promise<Uint8Array> {
    const known = [...this.#known.values()].find(({ offered }) => offered.sha256 === sha256);
    if (known === undefined) throw new IqLearnError('NOT_FOUND', 'the recording is gone');
    const handle = await open(known.path);
    try {
      if (markOf(await handle.stat()) !== known.mark)
        throw new IqLearnError('CONFLICT', `${known.path} was changed while it was sent`);
      const bytes = new Uint8Array(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      if (bytesRead !== length)
        throw new IqLearnError('IO', `${known.path} is shorter than it was`, {
          found: `${bytesRead} bytes from ${offset}`,
          expected: `${length}`,
        });
      return bytes;
    } finally {
      await handle.close();
    }
  }

  async #closed(folder: string): Promise<string[]> {
    const names = await readdir(folder, { withFileTypes: true }).catch(() => []);
    if (!names.some(({ name }) => name === 'metadata.yaml')) return [];
    // No links: only what lies in the folder itself is sent.
    return names
      .filter((entry) => entry.isFile() && entry.name.endsWith('.mcap'))
      .map(({ name }) => join(folder, name))
      .toSorted();
  }
}
