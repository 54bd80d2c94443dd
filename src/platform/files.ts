import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { IqLearnError, messageOf } from '../common/index.js';

function fsyncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Writes all bytes of a file and flushes them to the disk, without any atomicity. */
export function writeFileDurable(path: string, data: Uint8Array | string | readonly Uint8Array[]): void {
  const pieces = typeof data === 'string' ? [new TextEncoder().encode(data)] : ArrayBuffer.isView(data) ? [data] : data;
  const handle = openSync(path, 'w');
  try {
    for (const bytes of pieces) {
      let offset = 0;
      while (offset < bytes.byteLength) offset += writeSync(handle, bytes, offset);
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Replaces the file at `path` by `data`, atomically: a reader, or a crash at any moment, finds the old file or the new
 * one, never a part. The data are written to a file beside it, flushed, renamed, and the folder is flushed. Throws IO;
 * nothing half-written stays.
 */
export function writeFileAtomic(path: string, data: Uint8Array | string): void {
  const part = `${path}.${process.pid}.part`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileDurable(part, data);
    renameSync(part, path);
    fsyncFolder(dirname(path));
  } catch (cause) {
    rmSync(part, { force: true });
    throw cannotWrite(path, cause);
  }
}

/** What is said where a file cannot be written; `cause` is what the file system says. */
export function cannotWrite(
  path: string,
  cause: unknown,
  remedy = 'free space, or choose another folder',
): IqLearnError {
  return new IqLearnError('IO', `cannot write ${path}`, {
    found: messageOf(cause),
    expected: 'a writable folder with free space',
    remedy,
    cause,
  });
}

/** Renames a finished folder (flushed first: the names of its files) or file into place and flushes the rename. */
export function renameDurable(from: string, to: string): void {
  if (statSync(from).isDirectory()) fsyncFolder(from);
  renameSync(from, to);
  fsyncFolder(dirname(to));
}

/** Why a folder cannot be made, in words; what the system says where there are none. */
function whyNoFolder(cause: unknown): string {
  const words: Readonly<Record<string, string>> = {
    EEXIST: 'a file of this name',
    ENOTDIR: 'a file in place of a folder above it',
    ENAMETOOLONG: 'a name that is too long',
    EACCES: 'no permission to write there',
    EROFS: 'a read-only file system',
    ERR_INVALID_ARG_VALUE: 'a name with a zero byte',
  };
  return words[(cause as NodeJS.ErrnoException).code ?? ''] ?? messageOf(cause);
}

/** A lock on a folder, held by this process until `release` (or its end). */
export interface FolderLock {
  release(): void;
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The start time of a process in clock ticks since boot, or '' on systems without /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/**
 * Takes the folder for this process: `<folder>/.lock` holds the pid and its start time, so a lock left by a
 * process that was killed is taken over and a reused pid is not mistaken for its holder.
 * Throws CONFLICT while another living process (or another holder in this one) has it.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, '.lock');
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new IqLearnError('IO', `cannot use the folder ${folder}`, {
      found: whyNoFolder(cause),
      expected: 'a folder that this user may write',
      remedy: 'choose another folder, or change its permissions',
      cause,
    });
  }
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const handle = openSync(path, 'wx');
      writeSync(handle, mine);
      closeSync(handle);
      return {
        release: () => {
          rmSync(path, { force: true });
        },
      };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new IqLearnError('IO', `cannot lock the folder ${folder}`, {
          found: messageOf(cause),
          expected: 'a folder that this user may write',
          remedy: 'choose another folder, or change its permissions',
          cause,
        });
    }
    let holder = '';
    try {
      holder = readFileSync(path, 'utf8');
    } catch {
      continue; // released between the two calls
    }
    const [pidText, start = ''] = holder.trim().split(' ');
    const pid = Number(pidText);
    if (Number.isInteger(pid) && pid > 0 && isAlive(pid) && (start === '' || startOf(pid) === start))
      throw new IqLearnError('CONFLICT', `the folder ${folder} is in use`, {
        found: `process ${pid} holds ${path}`,
        expected: 'one process a run folder',
        remedy: 'wait for that process, stop it, or choose another folder',
      });
    rmSync(path, { force: true });
  }
  throw new IqLearnError('CONFLICT', `the folder ${folder} changes hands too fast`, { remedy: 'try again' });
}
