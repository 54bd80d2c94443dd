import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { IqLearnError, messageOf } from '../common/index.js';
import { isAlive, renameDurable, writeFileDurable } from './files.js';
import { sha256 } from './hash.js';

/** The content of a checkpoint: data that can be written as JSON, and arrays with names. */
export interface Checkpoint {
  readonly meta: Readonly<Record<string, unknown>>;
  readonly arrays: Readonly<Record<string, Float32Array | Int32Array | Float64Array | Uint8Array>>;
}

const KINDS = { Float32Array, Int32Array, Float64Array, Uint8Array } as const;
type Kind = keyof typeof KINDS;

/** Of an earlier version each array has a file of its own. */
const FORMATS = ['iq_learn checkpoint 1', 'iq_learn checkpoint 2'] as const;

/** An array, and where it is: from byte `offset` of `file`, or the whole file in the earlier format. */
interface Entry {
  readonly name: string;
  readonly file: string;
  readonly offset?: number;
  readonly kind: Kind;
  readonly length: number;
  readonly sha256: string;
}

interface Manifest {
  readonly format: (typeof FORMATS)[number];
  readonly generation: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly arrays: readonly Entry[];
  /** A SHA-256 hash over `meta` and `arrays`. */
  readonly sha256: string;
}

/**
 * Arrays share a file until it has this many bytes. Every file is flushed by itself, which takes milliseconds: the learner
 * of a fleet has thousands of arrays.
 */
const FILE_BYTES = 16 * 1024 * 1024;

const GENERATION = /^generation-(\d{8})$/;
/** The folder of a generation that is being written. The number in its name is the id of the process that writes it. */
const PART = /^generation-\d{8}\.(\d+)\.part$/;
const contentOf = ({ meta, arrays }: Pick<Manifest, 'meta' | 'arrays'>): string =>
  sha256(JSON.stringify([meta, arrays]));
/** What is written of a manifest. A text that says the same in another way, or says more, was altered. */
const textOf = ({ format, generation, meta, arrays, sha256 }: Manifest): string =>
  `${JSON.stringify({ format, generation, meta, arrays, sha256 }, null, 1)}\n`;
const folderOf = (generation: number): string => `generation-${String(generation).padStart(8, '0')}`;
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Lists the numbers of the generations in a folder, the newest first. */
export function generations(folder: string): number[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => GENERATION.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** Removes generations that killed processes left half-written. */
function clean(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(PART.exec(name)?.[1]);
    if (pid > 0 && (pid === process.pid || !isAlive(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Writes a new generation beside the old ones and then removes all but the newest `keep`. A crash at any moment
 * leaves the earlier generations whole: everything goes to a `.part` folder that is flushed and renamed.
 * Returns the generation's number; throws IO with nothing half-written left.
 */
export function saveCheckpoint(folder: string, { meta, arrays }: Checkpoint, keep = 2): number {
  let part: string | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    clean(folder);
    const existing = generations(folder);
    const generation = (existing[0] ?? 0) + 1;
    const target = join(folder, folderOf(generation));
    part = `${target}.${process.pid}.part`;
    mkdirSync(part);
    const entries = writeArrays(part, arrays);
    const manifest: Manifest = {
      format: FORMATS[1],
      generation,
      meta,
      arrays: entries,
      sha256: contentOf({ meta, arrays: entries }),
    };
    writeFileDurable(join(part, 'manifest.json'), textOf(manifest));
    renameDurable(part, target);
    for (const old of existing.slice(Math.max(0, keep - 1)))
      rmSync(join(folder, folderOf(old)), { recursive: true, force: true });
    return generation;
  } catch (cause) {
    if (part !== undefined) rmSync(part, { recursive: true, force: true });
    throw new IqLearnError('IO', `cannot write a checkpoint to ${folder}`, {
      found: messageOf(cause),
      expected: 'a writable folder with free space',
      remedy: 'free space or choose another folder; the earlier checkpoint is untouched',
      cause,
    });
  }
}

/** Writes the arrays one after the other into few files, and gives where each is. */
function writeArrays(part: string, arrays: Checkpoint['arrays']): Entry[] {
  const entries: Entry[] = [];
  let pieces: Uint8Array[] = [];
  let [files, offset] = [0, 0];
  const flush = (): void => {
    if (pieces.length > 0) writeFileDurable(join(part, `${files++}.bin`), pieces);
    [pieces, offset] = [[], 0];
  };
  for (const [name, array] of Object.entries(arrays)) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const kind = array.constructor.name as Kind;
    entries.push({ name, file: `${files}.bin`, offset, kind, length: array.length, sha256: sha256(bytes) });
    pieces.push(bytes);
    offset += bytes.byteLength;
    if (offset >= FILE_BYTES) flush();
  }
  flush();
  return entries;
}

function readGeneration(path: string): Checkpoint {
  const text = readFileSync(join(path, 'manifest.json'), 'utf8');
  const manifest = JSON.parse(text) as Manifest;
  if (!FORMATS.includes(manifest.format)) throw new Error(`unknown format '${String(manifest.format)}'`);
  // The hash does not cover the format; the arrays say it, too: the earlier one has no offsets.
  const isEarlier = manifest.format === FORMATS[0];
  if (
    contentOf(manifest) !== manifest.sha256 ||
    textOf(manifest) !== text ||
    manifest.arrays.some(({ offset }) => (offset === undefined) !== isEarlier) ||
    !path.endsWith(folderOf(manifest.generation))
  )
    throw new Error('manifest.json was altered');
  const arrays: Record<string, Float32Array | Int32Array | Float64Array | Uint8Array> = {};
  const files = new Map<string, { readonly bytes: Uint8Array; used: number }>();
  for (const { name, file, offset = 0, kind, length, sha256: expected } of manifest.arrays) {
    const type = KINDS[kind];
    if (!/^\d+\.bin$/.test(file) || type === undefined) throw new Error(`bad entry for '${name}'`);
    const whole = files.get(file) ?? { bytes: readFileSync(join(path, file)), used: 0 };
    files.set(file, whole);
    // A copy is aligned, and not a view of a pool.
    const bytes = new Uint8Array(whole.bytes.subarray(offset, offset + length * type.BYTES_PER_ELEMENT));
    if (sha256(bytes) !== expected) throw new Error(`${file} ('${name}') was altered or cut`);
    arrays[name] = new type(bytes.buffer, 0, length);
    whole.used += bytes.byteLength;
  }
  for (const [file, { bytes, used }] of files)
    if (bytes.byteLength !== used) throw new Error(`${file} has a wrong length`);
  return { meta: manifest.meta, arrays };
}

/**
 * Loads the newest generation that is whole. `onDamaged` is called for every damaged one that is passed over. Throws
 * NOT_FOUND where there is no generation, CORRUPT_DATA where all of them are damaged.
 */
export function loadCheckpoint(
  folder: string,
  onDamaged: (problem: IqLearnError) => void = () => {},
): Checkpoint & { readonly generation: number } {
  const found = generations(folder);
  for (const generation of found) {
    const path = join(folder, folderOf(generation));
    try {
      return { ...readGeneration(path), generation };
    } catch (cause) {
      onDamaged(
        new IqLearnError('CORRUPT_DATA', `checkpoint ${path} is damaged`, {
          found: messageOf(cause),
          expected: 'a whole generation',
          remedy: 'the generation before it is used, if there is one',
          cause,
        }),
      );
    }
  }
  if (found.length > 0)
    throw new IqLearnError('CORRUPT_DATA', `no checkpoint in ${folder} is whole`, {
      found: `${found.length} damaged generation${found.length === 1 ? '' : 's'}`,
      expected: 'at least one whole generation',
      remedy: 'start the training again without resuming',
    });
  throw new IqLearnError('NOT_FOUND', `there is no checkpoint in ${folder}`, {
    found: isFolder(folder) ? 'a folder without generations' : 'no such folder',
    expected: 'generation-… folders written by a training run',
    remedy: 'check the path, or start without resuming',
  });
}
