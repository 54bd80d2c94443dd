import type { Dimension, PoseReading } from './task.js';

/** Row-major rotation matrix of a unit quaternion (x, y, z, w). */
export function rotationMatrix([x, y, z, w]: PoseReading['orientation']): number[] {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  ];
}

/** Yaw of an orientation (x, y, z, w), radians, counter-clockwise from x. */
export function yawOf([x, y, z, w]: PoseReading['orientation']): number {
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}

/** Each value within its dimension's limits. */
export function clampTo(dimensions: readonly Dimension[], values: ArrayLike<number>): Float64Array {
  return Float64Array.from(dimensions, ({ low, high }, i) => Math.min(Math.max(values[i]!, low), high));
}
