import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';

/** A file that is written over many times. It stays open and is never empty: a file system flushes one that is written anew from nothing. */
export class PlacedFile {
  readonly path: string;
  readonly #file: number;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT);
  }

  put(bytes: Uint8Array): void {
    writeSync(this.#file, bytes, 0, bytes.length, 0);
    ftruncateSync(this.#file, bytes.length);
  }

  close(): void {
    closeSync(this.#file);
  }
}
