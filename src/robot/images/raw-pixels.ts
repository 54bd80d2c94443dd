import type { Image } from '../../messages/index.js';
import { type Refused, refuse } from '../readers.js';
import type { Pixels } from './pixels.js';

/** How the bytes of a pixel are to be read. */
interface Encoding {
  /** Bytes of a pixel. */
  readonly bytes: number;
  readonly shows: Pixels['shows'];
  /** Where red, green and blue lie, or the only number; in elements. */
  readonly offsets: readonly number[];
}

/** The encodings of sensor_msgs/image_encodings.hpp that are read. */
const encodings: Readonly<Record<string, Encoding>> = {
  rgb8: { bytes: 3, shows: 'colour', offsets: [0, 1, 2] },
  bgr8: { bytes: 3, shows: 'colour', offsets: [2, 1, 0] },
  rgba8: { bytes: 4, shows: 'colour', offsets: [0, 1, 2] },
  bgra8: { bytes: 4, shows: 'colour', offsets: [2, 1, 0] },
  // OpenCV's name of three channels without a meaning: OpenCV's own order is blue, green, red.
  '8UC3': { bytes: 3, shows: 'colour', offsets: [2, 1, 0] },
  mono8: { bytes: 1, shows: 'grey', offsets: [0] },
  '8UC1': { bytes: 1, shows: 'grey', offsets: [0] },
  mono16: { bytes: 2, shows: 'grey', offsets: [0] },
  // Distances: millimetres, or metres as float32 (REP 118).
  '16UC1': { bytes: 2, shows: 'depth', offsets: [0] },
  '32FC1': { bytes: 4, shows: 'depth', offsets: [0] },
};

const names = Object.keys(encodings).join(', ');

/**
 * The pixels of a sensor_msgs/Image. `isDepth`: they are to be distances, so that mono16 is one of millimetres, as some
 * drivers name it.
 */
export function rawPixels(image: Image, isDepth: boolean): Pixels | Refused {
  const { width, height, step, data, encoding } = image;
  const known = Object.hasOwn(encodings, encoding) ? encodings[encoding] : undefined;
  if (known === undefined) return refuse('incomplete', 'encoding', `'${encoding}'`, `one of ${names}`);
  if (width < 1 || height < 1)
    return refuse('incomplete', 'width × height', `${width} × ${height}`, 'a picture of at least one pixel');
  const rowBytes = width * known.bytes;
  if (step < rowBytes)
    return refuse('incomplete', 'step', `${step} bytes`, `at least ${rowBytes} for ${width} pixels of ${encoding}`);
  // The last row may go without the padding of the others.
  const needed = step * (height - 1) + rowBytes;
  if (data.length < needed)
    return refuse('incomplete', 'data', `${data.length} bytes`, `${step * height} for ${height} rows of ${step}`);
  const size = { width, height, offsets: known.offsets };
  if (known.bytes === 2) {
    const shows = isDepth ? 'depth' : known.shows;
    const numbers = shorts(data, width, height, step, image.is_bigendian !== 0);
    const scale = shows === 'depth' ? 0.001 : 65_535;
    return { ...size, shows, data: numbers, rowStride: width, pixelStride: 1, scale };
  }
  if (encoding === '32FC1') {
    const numbers = floats(data, width, height, step, image.is_bigendian !== 0);
    return { ...size, shows: 'depth', data: numbers, rowStride: width, pixelStride: 1, scale: 1 };
  }
  return { ...size, shows: known.shows, data, rowStride: step, pixelStride: known.bytes, scale: 255 };
}

/** The rows of a picture of 16 bits one after the other; the bytes of a message lie at any address. */
function shorts(data: Uint8Array, width: number, height: number, step: number, isBig: boolean): Uint16Array {
  const out = new Uint16Array(width * height);
  const [low, high] = isBig ? [1, 0] : [0, 1];
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0, from = y * step; x < width; x++, from += 2)
      out[at++] = data[from + low]! | (data[from + high]! << 8);
  return out;
}

function floats(data: Uint8Array, width: number, height: number, step: number, isBig: boolean): Float32Array {
  const out = new Float32Array(width * height);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) out[at++] = view.getFloat32(y * step + x * 4, !isBig);
  return out;
}
