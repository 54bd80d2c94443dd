import type { Crop, DepthRange, Pixels } from './pixels.js';

/** The size that a picture is made to. */
export interface Size {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Which source pixels, and with which weight, an output pixel covers along one axis. */
interface Cover {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Divides `from` source pixels among `to` output pixels. In units of 1/to of a source pixel every border is a whole
 * number, and so is every weight; those of one output pixel add up to `from`.
 */
function covers(from: number, to: number): Cover[] {
  return Array.from({ length: to }, (_, i) => {
    const [low, high] = [i * from, (i + 1) * from];
    const first = Math.floor(low / to);
    const last = Math.ceil(high / to) - 1;
    const weights: number[] = [];
    for (let k = first; k <= last; k++) weights.push(Math.min((k + 1) * to, high) - Math.max(k * to, low));
    return { first, weights };
  });
}

/**
 * Makes a rectangle of a picture small by averaging over areas: an output pixel is the mean of the source pixels that it
 * covers, each by the share that it covers, rounded half up. Sums are whole numbers, so the same picture gives the same
 * bytes on every machine. Colour becomes grey by ITU-R BT.601's weights of 0.299, 0.587 and 0.114.
 *
 * Returns [height × width × channels] bytes, row-major. The rectangle must not be smaller than the size, and a picture of
 * one number a pixel cannot become colour: the caller has checked both.
 */
export function shrinkPicture(pixels: Pixels, crop: Crop, { height, width, channels }: Size): Uint8Array {
  const { data, rowStride, pixelStride, offsets, scale } = pixels;
  const rows = covers(crop.height, height);
  const columns = covers(crop.width, width);
  const out = new Uint8Array(height * width * channels);
  const isGreyOfColour = channels === 1 && offsets.length === 3;
  // The denominator of a mean, in thousandths where weights of colours are: see above.
  const whole = crop.height * crop.width * scale * (isGreyOfColour ? 1000 : 1);
  const byteOf = (sum: number): number => Math.floor((2 * 255 * sum + whole) / (2 * whole));
  const [a = 0, b = 0, c = 0] = offsets;
  let at = 0;
  for (const row of rows)
    for (const column of columns) {
      let [sumA, sumB, sumC] = [0, 0, 0];
      for (let i = 0; i < row.weights.length; i++) {
        const start = (crop.y + row.first + i) * rowStride + (crop.x + column.first) * pixelStride;
        const weightY = row.weights[i]!;
        for (let j = 0; j < column.weights.length; j++) {
          const pixel = start + j * pixelStride;
          const weight = weightY * column.weights[j]!;
          sumA += weight * data[pixel + a]!;
          if (offsets.length < 3) continue;
          sumB += weight * data[pixel + b]!;
          sumC += weight * data[pixel + c]!;
        }
      }
      if (isGreyOfColour) out[at++] = byteOf(299 * sumA + 587 * sumB + 114 * sumC);
      else {
        out[at++] = byteOf(sumA);
        if (channels === 1) continue;
        out[at++] = byteOf(sumB);
        out[at++] = byteOf(sumC);
      }
    }
  return out;
}

/** A distance in metres within the range; NaN for none. REP 118: +Inf is beyond the range, −Inf before it. */
function distanceOf(value: number, scale: number, { near, far }: DepthRange): number {
  if (value === Number.NEGATIVE_INFINITY) return near;
  return value > 0 ? Math.min(Math.max(value * scale, near), far) : Number.NaN;
}

/**
 * As {@link shrinkPicture} for distances: the mean of those that were measured, as 1 (near or nearer) to 255 (far or
 * farther); 0 where none was measured.
 */
export function shrinkDepth(pixels: Pixels, crop: Crop, { height, width }: Size, range: DepthRange): Uint8Array {
  const { data, rowStride, pixelStride, offsets, scale } = pixels;
  const rows = covers(crop.height, height);
  const columns = covers(crop.width, width);
  const out = new Uint8Array(height * width);
  let at = 0;
  for (const row of rows)
    for (const column of columns) {
      let [sum, weights] = [0, 0];
      for (let i = 0; i < row.weights.length; i++)
        for (let j = 0; j < column.weights.length; j++) {
          const [y, x] = [crop.y + row.first + i, crop.x + column.first + j];
          const distance = distanceOf(data[y * rowStride + x * pixelStride + offsets[0]!]!, scale, range);
          if (Number.isNaN(distance)) continue;
          const weight = row.weights[i]! * column.weights[j]!;
          sum += weight * distance;
          weights += weight;
        }
      out[at++] = weights === 0 ? 0 : depthByte(sum / weights, range);
    }
  return out;
}

function depthByte(distance: number, { near, far }: DepthRange): number {
  return 1 + Math.min(254, Math.max(0, Math.round((254 * (distance - near)) / (far - near))));
}
