import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { cancelled, IqLearnError, messageOf } from '../common/index.js';
import { cannotWrite, type FolderLock, lockFolder, timestamp, writeFileAtomic } from '../platform/index.js';

/** Free space in bytes that a run needs for recordings, checkpoints and a report. With less it is not started. */
const NEEDED_BYTES = 256 * 1024 * 1024;

/** The log of a run's nodes, in its folder. */
export const LOG = 'log.jsonl';

/** The folder of a run, locked for this process until it is closed. */
export interface RunFolder {
  readonly path: string;
  file(...parts: string[]): string;
  /** Writes a file without which the run cannot go on. */
  keep(name: string, text: string): void;
  /** Writes again what was kept and is gone, where somebody has removed the folder. Says whether that was so. */
  mend(): boolean;
  /** Removes what was kept and the log, where nothing else was written: of a run that ended before there was anything to go on from. */
  discard(): void;
  /** Releases the lock and removes the folder if nothing was written to it. */
  close(): void;
}

/** The name of a run for which none was given: robot, time (UTC) and seed, for example rover-20260102-030405-0. */
export function defaultName(subject: string, seed: number, now = new Date()): string {
  return `${subject}-${timestamp(now)}-${seed}`;
}

/** The path itself or its nearest parent that exists. */
function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path));
}

/** Removes a folder, and those above it, up to `end`, which stays, as long as nothing is in them. */
function removeEmpty(path: string, end: string): void {
  for (let folder = path; folder !== end && existsSync(folder); folder = dirname(folder)) {
    if (readdirSync(folder).length > 0) return;
    rmdirSync(folder);
  }
}

/** Throws IO where the disk has no room for a run. */
export function checkSpace(path: string, statfs: typeof statfsSync = statfsSync, needed = NEEDED_BYTES): void {
  let free: number;
  try {
    const { bavail, bsize } = statfs(existing(path));
    free = bavail * bsize;
  } catch {
    return; // The file system does not say how much is free; writing will fail if it is too little.
  }
  if (free < needed)
    throw new IqLearnError('IO', `too little space for ${path}`, {
      found: `${Math.floor(free / 1024 ** 2)} MiB free`,
      expected: `at least ${Math.floor(needed / 1024 ** 2)} MiB`,
      remedy: 'free space, or choose another folder',
    });
}

function checkWritable(path: string): void {
  const probe = join(path, `.probe-${process.pid}.part`);
  try {
    writeFileSync(probe, 'x');
  } catch (cause) {
    throw new IqLearnError('IO', `cannot write to the folder ${path}`, {
      found: messageOf(cause),
      expected: 'a folder that this user may write, with free space',
      remedy: 'choose another folder, change its permissions, or free space',
      cause,
    });
  } finally {
    rmSync(probe, { force: true });
  }
}

/**
 * Creates and locks the folder of a run before any work is done, so that the run cannot fail on it later. Throws IO where
 * the disk is full or the folder cannot be written, and CONFLICT where another process holds it or, unless `reuse` is
 * given, where it is not empty. After an error nothing is left behind.
 */
export function openRunFolder(folder: string, { reuse = false } = {}): RunFolder {
  const path = resolve(folder);
  checkSpace(path);
  const there = existing(path);
  const lock: FolderLock = lockFolder(path);
  const close = (): void => {
    lock.release();
    removeEmpty(path, there);
  };
  try {
    checkWritable(path);
    const found = readdirSync(path).filter((name) => name !== '.lock');
    if (!reuse && found.length > 0)
      throw new IqLearnError('CONFLICT', `the folder ${folder} is not empty`, {
        found: found.slice(0, 5).join(', '),
        expected: 'a new run folder',
        remedy: 'choose another name, or remove the folder',
      });
  } catch (error) {
    close();
    throw error;
  }
  const kept = new Map<string, string>();
  const keep = (name: string, text: string): void => {
    kept.set(name, text);
    writeFileAtomic(join(path, name), text);
  };
  const mend = (): boolean => {
    const gone = [...kept].filter(([name]) => !existsSync(join(path, name)));
    for (const [name, text] of gone) {
      mkdirSync(path, { recursive: true });
      writeFileAtomic(join(path, name), text);
    }
    return gone.length > 0;
  };
  const discard = (): void => {
    const passing = new Set([...kept.keys(), LOG]);
    if (!existsSync(path) || readdirSync(path).some((name) => name !== '.lock' && !passing.has(name))) return;
    for (const name of passing) rmSync(join(path, name), { force: true });
    kept.clear();
  };
  return { path, file: (...parts) => join(path, ...parts), keep, mend, discard, close };
}

export const isCancelled = (error: unknown): error is IqLearnError =>
  error instanceof IqLearnError && error.code === 'CANCELLED';

/** An interruption with what it left and how to go on; one that says so already, and any other error, as it is. */
export function interruptedWith(error: unknown, remedy: string): unknown {
  const isGeneral = isCancelled(error) && (error.remedy === undefined || error.remedy === cancelled().remedy);
  return isGeneral ? cancelled('interrupted', remedy) : error;
}

/** Throws IO where a file could not be written. It is called before any work whose result goes to that file, and leaves nothing. */
export function checkTarget(file: string): void {
  const folder = dirname(resolve(file));
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new IqLearnError('IO', `cannot write ${file}`, {
      found: 'a folder',
      expected: 'the name of a file',
      remedy: `for example ${join(file, 'figures.json')}`,
    });
  const there = existing(folder);
  if (!statSync(there).isDirectory()) throw cannotWrite(file, new Error(`${there} is a file`), 'choose another place');
  checkWritable(there);
}

/** What is said where a run's folder was removed under it. */
export const removedText = (path: string): string =>
  `${path} was removed while the run wrote to it: its plan, checkpoints, curves and policy are written again; logs and recordings from before are lost`;
