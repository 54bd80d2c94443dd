import { IqLearnError } from '../common/index.js';
import { openInput, TemporaryFolder } from '../platform/index.js';
import { loadDecompressors } from './decompress.js';
import { FileWindow, readSummary } from './mcap-frames.js';
import { type McapItem, McapRecords } from './mcap-records.js';
import { readSqlite } from './sqlite-input.js';
import { compressionOf, unpackFile } from './unpack.js';

const foreignFiles: readonly (readonly [magic: string, what: string, remedy: string])[] = [
  ['#ROSBAG V', 'a ROS 1 bag', 'convert it to ROS 2: rosbags-convert, from PyPI rosbags'],
  ['version https://git-lfs', 'a pointer of Git LFS, not the file itself', 'fetch the file: git lfs pull'],
];

function checkMagic(path: string, bytes: Uint8Array): void {
  const text = Buffer.from(bytes.subarray(0, 32)).toString('latin1');
  if (text.startsWith('\x89MCAP0\r\n')) return;
  const foreign = foreignFiles.find(([magic]) => text.startsWith(magic));
  if (foreign !== undefined)
    throw new IqLearnError('UNSUPPORTED', `cannot read ${path}`, {
      found: foreign[1],
      expected: 'an MCAP file of profile ros2, or a db3 file of rosbag2',
      remedy: foreign[2],
    });
  throw new IqLearnError('CORRUPT_DATA', `${path} is not an MCAP file`, {
    found:
      bytes.length === 0 ? 'an empty file' : `bytes ${Buffer.from(bytes.subarray(0, 8)).toString('hex')} at its start`,
    expected: 'the MCAP magic 894d434150300d0a, or a db3 file of rosbag2',
    remedy: 'give a folder or file recorded by iq-learn record or ros2 bag record',
  });
}

/**
 * The records of a file of a recording: MCAP, or rosbag2's sqlite3 as if it were; also where the whole file is packed by
 * zstd or gzip. What is damaged is left out; `onDamage` hears each place.
 */
export async function* readRecords(
  path: string,
  onDamage: (text: string) => void,
): AsyncGenerator<McapItem, void, void> {
  const file = openInput(path);
  try {
    const window = new FileWindow(file);
    const beginning = Uint8Array.from(await window.bytes(0, beginningBytes));
    const form = compressionOf(beginning);
    if (form !== undefined) yield* readPacked(path, form, onDamage);
    else if (isSqlite(beginning)) yield* readSqlite(path, onDamage);
    else yield* recordsOf(path, window, onDamage);
  } finally {
    file.close();
  }
}

/** Bytes at the start of a file that say what it is. */
const beginningBytes = 32;

const isSqlite = (beginning: Uint8Array): boolean =>
  Buffer.from(beginning).toString('latin1').startsWith('SQLite format 3\0');

async function* readPacked(
  path: string,
  form: 'zstd' | 'gzip' | 'lz4',
  onDamage: (text: string) => void,
): AsyncGenerator<McapItem, void, void> {
  const folder = new TemporaryFolder();
  try {
    const unpacked = await unpackFile(path, form, folder);
    const say = (text: string): void => onDamage(text.replaceAll(unpacked, path));
    const beginning = await beginningOf(unpacked);
    if (isSqlite(beginning)) yield* readSqlite(unpacked, say);
    else {
      // Refused under the name that the person gave.
      checkMagic(path, beginning);
      yield* readMcap(unpacked, say);
    }
  } finally {
    folder.remove();
  }
}

async function beginningOf(path: string): Promise<Uint8Array> {
  const file = openInput(path);
  try {
    const piece = new Uint8Array(beginningBytes);
    return piece.subarray(0, await file.read(piece, 0));
  } finally {
    file.close();
  }
}

/**
 * The records of an MCAP file in the file's order, with chunks unpacked and their CRCs checked. Each damaged place is
 * passed over, said to `onDamage`, and marked where it stood; see {@link McapRecords}.
 * Throws NOT_FOUND or IO, and CORRUPT_DATA or UNSUPPORTED if the file is not an MCAP file.
 */
export async function* readMcap(path: string, onDamage: (text: string) => void): AsyncGenerator<McapItem, void, void> {
  const file = openInput(path);
  try {
    yield* recordsOf(path, new FileWindow(file), onDamage);
  } finally {
    file.close();
  }
}

async function* recordsOf(
  path: string,
  window: FileWindow,
  onDamage: (text: string) => void,
): AsyncGenerator<McapItem, void, void> {
  const handlers = await loadDecompressors();
  checkMagic(path, await window.bytes(0, beginningBytes));
  const summary = await readSummary(window);
  if (summary === 'damaged') onDamage(`${path}: the index at its end is damaged; it is read without`);
  yield* new McapRecords(path, window, summary === 'damaged' ? null : summary, handlers, onDamage).read();
}
