import { type FileHandle, open } from 'node:fs/promises';
import type { IWritable } from '@mcap/core';

/** What a recording is written to. A test puts a disk that fills up behind it. */
export interface RecordingFile extends IWritable {
  /** Flushes to the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

class DiskFile implements RecordingFile {
  readonly #handle: FileHandle;
  #position = 0n;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(buffer: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < buffer.length) {
      const { bytesWritten } = await this.#handle.write(buffer, offset);
      offset += bytesWritten;
      this.#position += BigInt(bytesWritten);
    }
  }

  position(): bigint {
    return this.#position;
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Creates (or empties) a file. */
export async function createFile(path: string): Promise<RecordingFile> {
  return new DiskFile(await open(path, 'w'));
}
