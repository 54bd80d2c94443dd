import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import { IqLearnError, messageOf } from '../common/index.js';

export { crc32 };

/** Unpacks raw deflate data (as in zip files). Throws if it is damaged or would become longer than `maxBytes`. */
export function inflateRaw(packed: Uint8Array, maxBytes: number): Uint8Array {
  return inflateRawSync(packed, { maxOutputLength: Math.max(maxBytes, 1) });
}

/** Unpacks a gzip file. Throws CORRUPT_DATA where `what` is damaged or would become longer than `maxBytes`. */
export function gunzip(packed: Uint8Array, maxBytes: number, what: string): Uint8Array {
  try {
    return gunzipSync(packed, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw new IqLearnError('CORRUPT_DATA', `${what} cannot be unpacked`, {
      found: messageOf(cause),
      expected: `whole gzip data of at most ${maxBytes} bytes`,
      remedy: 'copy it again from where it was made',
      cause,
    });
  }
}
