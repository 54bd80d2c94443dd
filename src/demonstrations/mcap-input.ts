import { McapStreamReader, type McapTypes } from '@mcap/core';
import { IqLearnError, messageOf } from '../common/index.js';
import { openInput, TemporaryFolder } from '../platform/index.js';
import { loadDecompressors } from './decompress.js';
import { readSqlite } from './sqlite-input.js';
import { compressionOf, unpackFile } from './unpack.js';

const pieceBytes = 256 * 1024;
/** A record that claims to be longer is damaged; it must not fill the memory. */
const maxRecordBytes = 512 * 1024 * 1024;

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
 * zstd or gzip. At damage, reading ends and `onDamage` is called once with the place.
 */
export async function* readRecords(
  path: string,
  onDamage: (text: string) => void,
): AsyncGenerator<McapTypes.TypedMcapRecord, void, void> {
  const beginning = await beginningOf(path);
  const form = compressionOf(beginning);
  if (form !== undefined) {
    const folder = new TemporaryFolder();
    try {
      const unpacked = await unpackFile(path, form, folder);
      yield* readUnpacked(unpacked, await beginningOf(unpacked), (text) => onDamage(text.replaceAll(unpacked, path)));
    } finally {
      folder.remove();
    }
  } else yield* readUnpacked(path, beginning, onDamage);
}

async function* readUnpacked(
  path: string,
  beginning: Uint8Array,
  onDamage: (text: string) => void,
): AsyncGenerator<McapTypes.TypedMcapRecord, void, void> {
  if (Buffer.from(beginning).toString('latin1').startsWith('SQLite format 3\0')) yield* readSqlite(path, onDamage);
  else yield* readMcap(path, onDamage);
}

async function beginningOf(path: string): Promise<Uint8Array> {
  const file = await openInput(path);
  try {
    const piece = new Uint8Array(32);
    return piece.subarray(0, await file.read(piece, 0));
  } finally {
    await file.close();
  }
}

/**
 * The records of an MCAP file in the file's order, with chunks unpacked and their CRCs checked. At damage, reading ends
 * and `onDamage` is called once with the place; all records before it are whole.
 * Throws NOT_FOUND or IO, and CORRUPT_DATA or UNSUPPORTED if the file is not an MCAP file.
 */
export async function* readMcap(
  path: string,
  onDamage: (text: string) => void,
): AsyncGenerator<McapTypes.TypedMcapRecord, void, void> {
  const decompressHandlers = await loadDecompressors();
  const file = await openInput(path);
  try {
    const stream = new McapStreamReader({ decompressHandlers });
    const piece = new Uint8Array(pieceBytes);
    let total = 0;
    for (;;) {
      const bytesRead = await file.read(piece, total);
      if (total === 0) checkMagic(path, piece.subarray(0, bytesRead));
      if (bytesRead === 0) break;
      total += bytesRead;
      const place = (): string => `about byte ${total - stream.bytesRemaining()}`;
      let record: McapTypes.TypedMcapRecord | undefined;
      try {
        stream.append(piece.subarray(0, bytesRead));
      } catch (error) {
        onDamage(`${path} is damaged at ${place()}: ${messageOf(error)}`);
        return;
      }
      do {
        try {
          record = stream.nextRecord();
          if (stream.bytesRemaining() > maxRecordBytes)
            throw new Error(`a record of more than ${maxRecordBytes} bytes`);
        } catch (error) {
          onDamage(`${path} is damaged at ${place()}: ${messageOf(error)}; nothing behind it is read`);
          return;
        }
        if (record !== undefined) yield record;
      } while (record !== undefined);
    }
    if (!stream.done())
      onDamage(
        `${path} ends early, at byte ${total}: it was cut or never closed; ${stream.bytesRemaining()} bytes are lost`,
      );
  } finally {
    await file.close();
  }
}
