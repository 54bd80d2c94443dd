import { IqLearnError } from '../../common/index.js';
import type { CompressedImage } from '../../messages/index.js';
import { decodePicture } from '../../platform/index.js';
import { type Refused, refuse } from '../readers.js';
import { hasJpegEnd, readPictureHeader } from './picture-header.js';
import type { Pixels } from './pixels.js';

/** Pixels of a compressed picture that are decoded at most, so that a few bytes cannot ask for gigabytes. */
const mostPixels = 20_000_000;

/** The plugin of image_transport for depth puts 12 bytes of its own before the file. */
const depthHeader = 12;

/** The file that a message carries. */
export function pictureFile({ data, format }: Pick<CompressedImage, 'data' | 'format'>): Uint8Array {
  return isTransported(format) ? data.subarray(depthHeader) : data;
}

const isTransported = (format: string): boolean => format.includes('compressedDepth');

const incomplete = (field: string, found: string, expected: string): Refused =>
  refuse('incomplete', field, found, expected);

/**
 * The pixels of a sensor_msgs/CompressedImage: JPEG, PNG, or image_transport's `16UC1; compressedDepth png`. What the
 * file is, its own first bytes say; `format` is only looked at for depth. `isDepth`: 16 bits are millimetres.
 */
export function compressedPixels({ data, format }: CompressedImage, isDepth: boolean): Pixels | Refused {
  const isTransportedDepth = isTransported(format);
  if (isTransportedDepth && !format.startsWith('16UC1'))
    return incomplete('format', `'${format.slice(0, 60)}'`, "'16UC1; compressedDepth png', depth in millimetres");
  const file = pictureFile({ data, format });
  const header = readPictureHeader(file);
  if (header === null)
    return incomplete('data', `${data.length} bytes of format '${format.slice(0, 60)}'`, 'a JPEG or PNG file');
  const { width, height } = header;
  if (width < 1 || height < 1 || width * height > mostPixels)
    return incomplete('data', `a picture of ${width} × ${height}`, `1 to ${mostPixels / 1e6} million pixels`);
  if (header.format === 'jpeg' && !hasJpegEnd(file))
    return incomplete('data', `a JPEG file of ${file.length} bytes without its end`, 'the whole file');
  try {
    const { data: numbers, channels } = decodePicture(file, width * height);
    const size = { width, height, data: numbers, rowStride: width * channels, pixelStride: channels };
    if (channels >= 3) return { ...size, shows: 'colour', offsets: [0, 1, 2], scale: 255 };
    const offsets = [0];
    if (numbers instanceof Uint8Array) return { ...size, shows: 'grey', offsets, scale: 255 };
    return isDepth || isTransportedDepth
      ? { ...size, shows: 'depth', offsets, scale: 0.001 }
      : { ...size, shows: 'grey', offsets, scale: 65_535 };
  } catch (error) {
    if (!(error instanceof IqLearnError) || error.code !== 'CORRUPT_DATA') throw error;
    return incomplete('data', `a ${header.format.toUpperCase()} file that is damaged`, 'one that can be decoded');
  }
}
