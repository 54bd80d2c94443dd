import lz4 from '@foxglove/wasm-lz4';
import zstd from '@foxglove/wasm-zstd';
import { IqLearnError } from '../common/index.js';

/** Longest chunk that is unpacked, so that a false length cannot cause a huge allocation. rosbag2's default chunk is 768 KiB. */
const maxChunkBytes = 256 * 1024 * 1024;

type Decompress = (buffer: Uint8Array, decompressedSize: bigint) => Uint8Array;

function checked(decompress: (buffer: Uint8Array, size: number) => Uint8Array): Decompress {
  return (buffer, size) => {
    if (size > maxChunkBytes)
      throw new IqLearnError('CORRUPT_DATA', 'a chunk is too long', {
        found: `${size} bytes`,
        expected: `at most ${maxChunkBytes}`,
      });
    const unpacked = decompress(buffer, Number(size));
    if (unpacked.length !== Number(size))
      throw new IqLearnError('CORRUPT_DATA', 'a chunk does not unpack to its length', {
        found: `${unpacked.length} bytes`,
        expected: `${size}`,
      });
    return unpacked;
  };
}

/** Decompressors by the names that MCAP gives to compressions. */
export async function loadDecompressors(): Promise<Record<string, Decompress>> {
  await Promise.all([zstd.isLoaded, lz4.isLoaded]);
  return { zstd: checked(zstd.decompress), lz4: checked(lz4) };
}
