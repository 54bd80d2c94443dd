import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  read,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { IqLearnError, messageOf } from '../common/index.js';

/** What is at a path, links followed; null where there is nothing. */
export function kindOfPath(path: string): 'file' | 'folder' | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  return stat.isDirectory() ? 'folder' : 'file';
}

/** Names of what is in a folder, in no particular order. */
export function namesIn(folder: string): string[] {
  return readdirSync(folder);
}

function unreadable(what: string, path: string, cause: unknown): IqLearnError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const found = { ENOENT: 'no such file', ENOTDIR: 'no such file', EISDIR: 'a folder' }[code];
  return new IqLearnError(found === undefined ? 'IO' : 'NOT_FOUND', `cannot ${what} ${path}`, {
    found: found ?? messageOf(cause),
    expected: 'a file that this user may read',
    cause,
  });
}

/** All bytes of a file. Throws NOT_FOUND or IO, and CORRUPT_DATA for a file of more than `maxBytes` without reading it. */
export function readBytes(path: string, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > maxBytes)
      throw new IqLearnError('CORRUPT_DATA', `${path} is too large`, {
        found: `${size} bytes`,
        expected: `at most ${maxBytes} bytes`,
      });
    return readFileSync(path);
  } catch (cause) {
    throw cause instanceof IqLearnError ? cause : unreadable('read', path, cause);
  }
}

/** The text of a UTF-8 file. Throws NOT_FOUND or IO. */
export function readText(path: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(readBytes(path));
}

/** What a file of JSON holds. Throws CORRUPT_DATA, with `remedy`, where it cannot be read or is no JSON. */
export function readJson(
  path: string,
  { what = 'is damaged', remedy = 'copy it again from where it was made' }: { what?: string; remedy?: string } = {},
): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new IqLearnError('CORRUPT_DATA', `${path} ${what}`, {
      found: messageOf(cause),
      expected: 'JSON',
      remedy,
      cause,
    });
  }
}

/** A file that is read piece by piece. */
export interface InputFile {
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Reads from `position` into `piece`; returns how many bytes were there, 0 at the end. */
  read(piece: Uint8Array, position: number): Promise<number>;
  close(): void;
}

const readPiece = promisify(read);

/** Files of up to so many bytes are read on this thread: the way to another one takes longer. */
const smallBytes = 64 * 1024;

/** Opens a file for reading. Throws NOT_FOUND or IO. */
export function openInput(path: string): InputFile {
  let file: number | undefined;
  try {
    const opened = openSync(path, 'r');
    file = opened;
    const { size } = fstatSync(opened);
    return {
      size,
      read: async (piece, position) =>
        size <= smallBytes
          ? readSync(opened, piece, 0, piece.length, position)
          : (await readPiece(opened, piece, 0, piece.length, position)).bytesRead,
      close: () => closeSync(opened),
    };
  } catch (cause) {
    if (file !== undefined) closeSync(file);
    throw unreadable('open', path, cause);
  }
}

/** The folder that this package was installed to, which holds config/. */
export function packageFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  let folder = start;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new IqLearnError('NOT_FOUND', 'the package folder of iq_learn is not there', {
        found: `no package.json above ${start}`,
        expected: 'an installed package',
        remedy: 'install iq_learn again',
      });
    folder = parent;
  }
  return folder;
}
