import { existsSync, readFileSync, rmSync } from 'node:fs';
import { writeFileAtomic } from '../files.js';

/** The whole lines of a text file, without their ends; a last line without an end was cut off and is left out. */
export function wholeLines(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

/** Replaces a text file by these lines, atomically; no lines remove the file. Does nothing where it holds them already. */
export function replaceLines(path: string, lines: readonly string[]): void {
  if (lines.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  const text = lines.map((line) => `${line}\n`).join('');
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileAtomic(path, text);
}
