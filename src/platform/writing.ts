import { mkdirSync, rmdirSync, rmSync, truncateSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { renameDurable, writeFileDurable } from './files.js';

/** Makes a folder and those around it, where they are not there yet. Returns the outermost that it made, if any. */
export function makeFolder(path: string): string | undefined {
  return mkdirSync(path, { recursive: true });
}

/** Removes a folder and those around it up to `outermost`, as long as they are empty. */
export function removeEmptyFolders(path: string, outermost: string): void {
  try {
    for (let folder = resolve(path); folder.startsWith(resolve(outermost)); folder = dirname(folder)) rmdirSync(folder);
  } catch {
    // A folder that is not empty is another's, or was filled meanwhile: it stays.
  }
}

/** Removes a file, if it is there. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

/** Cuts a file off after its first `bytes` bytes. */
export function truncateFile(path: string, bytes: number): void {
  truncateSync(path, bytes);
}

/**
 * Replaces files of a folder together: all of them are whole on the disk before the first is renamed into place, in the
 * order given. Throws what the file system throws; no part of a file stays behind.
 */
export function writeFilesTogether(
  folder: string,
  files: readonly (readonly [name: string, data: Uint8Array | string])[],
): void {
  const part = (name: string): string => join(folder, `${name}.${process.pid}.part`);
  try {
    makeFolder(folder);
    for (const [name, data] of files) writeFileDurable(part(name), data);
    for (const [name] of files) renameDurable(part(name), join(folder, name));
  } catch (cause) {
    for (const [name] of files) removeFile(part(name));
    throw cause;
  }
}

/** A file that is written from its beginning to its end. */
export interface OutputFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes written so far. */
  position(): bigint;
  /** Flushes what was written to the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

class DiskFile implements OutputFile {
  readonly #handle: FileHandle;
  #position = 0n;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, offset);
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

/** Creates a file, or empties the one that is there. Rejects with what the file system says. */
export async function createOutput(path: string): Promise<OutputFile> {
  return new DiskFile(await open(path, 'w'));
}
