import { crc32, inflateRawSync } from 'node:zlib';

export { crc32 };

/** Unpacks raw deflate data (as in zip files). Throws if it is damaged or would become longer than `maxBytes`. */
export function inflateRaw(packed: Uint8Array, maxBytes: number): Uint8Array {
  return inflateRawSync(packed, { maxOutputLength: Math.max(maxBytes, 1) });
}
