import zstd from '@foxglove/wasm-zstd';
import { IqLearnError, messageOf } from '../common/index.js';
import { gunzip, readBytes, type TemporaryFolder } from '../platform/index.js';

/** Longest file that is unpacked, in bytes: it is held in memory as a whole. */
const maxBytes = 1024 * 1024 * 1024;

const magics: readonly (readonly [bytes: readonly number[], form: 'zstd' | 'gzip' | 'lz4'])[] = [
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x1f, 0x8b], 'gzip'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
];

/** How a file that begins with these bytes is compressed as a whole; undefined if it is not. */
export function compressionOf(beginning: Uint8Array): 'zstd' | 'gzip' | 'lz4' | undefined {
  return magics.find(([bytes]) => bytes.every((byte, i) => beginning[i] === byte))?.[1];
}

/** The length of what a zstd frame holds, as its header says; undefined where it does not (RFC 8878, 3.1.1.1). */
function zstdLength(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const descriptor = bytes[4] ?? 0;
  const isSingle = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const form = descriptor >> 6;
  if (bytes.length < at + 8) return form === 0 && isSingle ? bytes[at] : undefined;
  if (form === 0) return isSingle ? view.getUint8(at) : undefined;
  if (form === 1) return view.getUint16(at, true) + 256;
  return form === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

/** The bytes that a zstd frame holds. Throws CORRUPT_DATA where it is damaged, too long, or does not say its length. */
export function unpackZstd(bytes: Uint8Array, what: string): Uint8Array {
  const length = compressionOf(bytes) === 'zstd' ? zstdLength(bytes) : undefined;
  if (length === undefined || length > maxBytes)
    throw new IqLearnError('CORRUPT_DATA', `${what} cannot be unpacked`, {
      found: length === undefined ? 'zstd data that does not say its length' : `${length} bytes`,
      expected: `a zstd frame with its length, at most ${maxBytes} bytes`,
      remedy: 'unpack it: zstd -d FILE',
    });
  try {
    return zstd.decompress(bytes, length);
  } catch (cause) {
    throw new IqLearnError('CORRUPT_DATA', `${what} cannot be unpacked`, {
      found: messageOf(cause),
      expected: 'whole zstd data',
      remedy: 'copy it again from where it was made',
      cause,
    });
  }
}

/** Unpacks a file that is compressed as a whole, to a file of its own, which `folder` holds. Throws CORRUPT_DATA and UNSUPPORTED. */
export async function unpackFile(
  path: string,
  form: 'zstd' | 'gzip' | 'lz4',
  folder: TemporaryFolder,
): Promise<string> {
  if (form === 'lz4')
    throw new IqLearnError('UNSUPPORTED', `cannot read ${path}`, {
      found: 'a file packed by lz4',
      expected: 'an MCAP or db3 file, or one packed by zstd or gzip',
      remedy: 'unpack it: lz4 -d FILE',
    });
  await zstd.isLoaded;
  const bytes = readBytes(path, maxBytes);
  const unpacked = form === 'zstd' ? unpackZstd(bytes, path) : gunzip(bytes, maxBytes, path);
  return folder.write('unpacked', unpacked);
}
