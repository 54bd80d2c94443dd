import { closeSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A file that only grows, by whole records: a record that could not be written to its end (a full disk) is taken back.
 * Records are not flushed to the disk one by one: a killed process loses none of them, a loss of power may lose the
 * last ones.
 */
export class AppendFile {
  readonly #handle: number;
  #size: number;

  /** Opens the file at its end and makes it, with its folder, where there is none. Throws what the file system throws. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#handle = openSync(path, 'a');
    this.#size = statSync(path).size;
  }

  /** Length in bytes. */
  get size(): number {
    return this.#size;
  }

  append(record: Uint8Array | string): void {
    const bytes = typeof record === 'string' ? new TextEncoder().encode(record) : record;
    try {
      let offset = 0;
      while (offset < bytes.byteLength) offset += writeSync(this.#handle, bytes, offset);
    } catch (error) {
      try {
        ftruncateSync(this.#handle, this.#size);
      } catch {
        // Not a file that can be cut; why writing failed is what matters.
      }
      throw error;
    }
    this.#size += bytes.byteLength;
  }

  close(): void {
    closeSync(this.#handle);
  }
}
