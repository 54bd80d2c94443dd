import type { CompressedImage, Image } from '../../messages/index.js';
import { type Refused, refuse } from '../readers.js';
import { compressedPixels } from './compressed-pixels.js';
import type { ImageSource } from './image-source.js';
import type { Pixels } from './pixels.js';
import { rawPixels } from './raw-pixels.js';
import { shrinkDepth, shrinkPicture } from './shrink.js';

const isRefused = (read: Pixels | Refused): read is Refused => 'text' in read;

/** The bytes of a block from a sensor_msgs/Image or CompressedImage, or why it cannot be used. */
export function readImage(message: Image | CompressedImage, source: ImageSource): Uint8Array | Refused {
  const isDepth = source.depth !== undefined;
  const isRaw = 'encoding' in message;
  const pixels = isRaw ? rawPixels(message, isDepth) : compressedPixels(message, isDepth);
  if (isRefused(pixels)) return pixels;
  const kind = isRaw ? { field: 'encoding', found: message.encoding } : { field: 'data', found: shownAs(pixels) };
  const misfit = misfitOf(pixels, kind, source) ?? tooSmall(pixels, source);
  if (misfit !== null) return misfit;
  const { x = 0, y = 0, width = pixels.width, height = pixels.height } = source.crop ?? {};
  const crop = { x, y, width, height };
  return source.depth === undefined
    ? shrinkPicture(pixels, crop, source)
    : shrinkDepth(pixels, crop, source, source.depth);
}

function shownAs({ shows, data }: Pixels): string {
  return `a picture of ${shows} (${data.BYTES_PER_ELEMENT * 8} bits)`;
}

/** What a picture shows has to be what the description says: grey is not guessed to be colour, nor colour to be depth. */
function misfitOf(
  { shows }: Pixels,
  { field, found }: { readonly field: string; readonly found: string },
  { block, depth, channels }: ImageSource,
): Refused | null {
  if (depth !== undefined && shows !== 'depth')
    return refuse('incomplete', field, found, `distances for ${block}, which has a depth: 16 bits, or 32FC1`);
  if (depth === undefined && shows === 'depth')
    return refuse('incomplete', field, found, `colour or grey for ${block}, or depth: { near, far } with it`);
  if (channels === 3 && shows === 'grey')
    return refuse('incomplete', field, found, `colour for ${block} of 3 channels`);
  return null;
}

function tooSmall({ width, height }: Pixels, { block, crop, ...size }: ImageSource): Refused | null {
  const found = `${width} × ${height}`;
  const field = 'width × height';
  if (crop !== undefined && (crop.x + crop.width > width || crop.y + crop.height > height))
    return refuse(
      'incomplete',
      field,
      found,
      `at least ${crop.x + crop.width} × ${crop.y + crop.height}, for the crop of ${block}`,
    );
  if (crop === undefined && (width < size.width || height < size.height))
    return refuse('incomplete', field, found, `at least ${size.width} × ${size.height}, the size of ${block}`);
  return null;
}
