import { createRequire } from 'node:module';
import { IqLearnError, messageOf } from '../common/index.js';

/** What a JPEG or PNG file shows: rows from the top, the numbers of a pixel side by side. */
export interface DecodedPicture {
  /** Numbers of a pixel: 1 grey, 2 grey and opacity, 3 red, green, blue, 4 with opacity. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array | Uint16Array;
}

/** What is used of the decoder, which need not be installed. */
interface Decoder {
  readonly Transformer: new (
    file: Buffer,
  ) => {
    rawPixelsSync(): Buffer;
    metadataSync(): { readonly colorType: number };
  };
}

let decoder: Decoder | undefined;

/** The decoder is native code of several megabytes: only a robot that observes compressed images loads it. */
function loadDecoder(): Decoder {
  try {
    decoder ??= createRequire(import.meta.url)('@napi-rs/image') as Decoder;
    return decoder;
  } catch (cause) {
    throw new IqLearnError('UNSUPPORTED', 'compressed images cannot be decoded on this machine', {
      found: messageOf(cause),
      expected: `the package @napi-rs/image with its part for ${process.platform} on ${process.arch}`,
      remedy:
        'run npm install again without --omit=optional, or observe the topic of raw images (sensor_msgs/msg/Image)',
      cause,
    });
  }
}

/** Throws UNSUPPORTED where {@link decodePicture} cannot work: a robot says so when it starts, not at its first image. */
export function checkPictureDecoder(): void {
  loadDecoder();
}

/** By the number that the decoder gives to a kind of colour: how many numbers a pixel has, and of how many bytes. */
const layouts: Readonly<Record<number, { readonly channels: DecodedPicture['channels']; readonly bytes: 1 | 2 }>> = {
  0: { channels: 1, bytes: 1 },
  1: { channels: 2, bytes: 1 },
  2: { channels: 3, bytes: 1 },
  3: { channels: 4, bytes: 1 },
  4: { channels: 1, bytes: 2 },
};

/**
 * Decodes a whole JPEG or PNG file that shows `pixels` pixels. The memory that this takes follows from what the file
 * claims, so its claim has to be checked before. Throws CORRUPT_DATA for a file that cannot be decoded or shows
 * another number of pixels, and UNSUPPORTED where the decoder is not installed.
 */
export function decodePicture(file: Uint8Array, pixels: number): DecodedPicture {
  const { Transformer } = loadDecoder();
  const refuse = (found: string, cause?: unknown): IqLearnError =>
    new IqLearnError('CORRUPT_DATA', 'not a picture that can be decoded', {
      found,
      expected: 'a whole JPEG or PNG file of 8 bits a colour, or of 16 bits grey',
      ...(cause === undefined ? {} : { cause }),
    });
  let bytes: Buffer;
  let colours: number;
  try {
    const picture = new Transformer(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
    bytes = picture.rawPixelsSync();
    colours = picture.metadataSync().colorType;
  } catch (cause) {
    throw refuse(messageOf(cause).replace(/\s+/g, ' ').slice(0, 120), cause);
  }
  const layout = layouts[colours];
  if (layout === undefined) throw refuse('a picture of other colours');
  if (bytes.length !== pixels * layout.channels * layout.bytes)
    throw refuse(`${bytes.length} bytes of ${pixels} pixels`);
  const { channels } = layout;
  if (layout.bytes === 1) return { channels, data: bytes };
  return { channels, data: new Uint16Array(Uint8Array.from(bytes).buffer) };
}
