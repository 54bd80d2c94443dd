import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A folder of its own for files that are needed for a moment. */
export class TemporaryFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'iq-learn-'));

  /** A file's name in this folder, which leads to the file itself. Returns its path. */
  link(file: string, name: string): string {
    const path = join(this.path, name);
    symlinkSync(resolve(file), path);
    return path;
  }

  copy(file: string, name: string): string {
    const path = join(this.path, name);
    copyFileSync(file, path);
    return path;
  }

  write(name: string, bytes: Uint8Array): string {
    const path = join(this.path, name);
    writeFileSync(path, bytes);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
