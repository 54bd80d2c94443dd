import { clamp, yawOf as yaw } from '../common/index.js';
import type { Dimension, PoseReading, SceneGeometry } from './task.js';

/** Converts degrees, in which models are published, to radians. */
export const degrees = (angle: number): number => angle * (Math.PI / 180);

/** The rotation matrix (3 × 3, row-major) of a unit quaternion (x, y, z, w). */
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

/** A vector of the body's frame in the world's, where `rotation` is the body's rotation matrix. */
export function rotate(rotation: readonly number[], [x, y, z]: PoseReading['position']): PoseReading['position'] {
  const r = rotation;
  return [r[0]! * x + r[1]! * y + r[2]! * z, r[3]! * x + r[4]! * y + r[5]! * z, r[6]! * x + r[7]! * y + r[8]! * z];
}

/** A vector of the world's frame in the body's, where `rotation` is the body's rotation matrix. */
export function rotateBack(rotation: readonly number[], [x, y, z]: PoseReading['position']): PoseReading['position'] {
  const r = rotation;
  return [r[0]! * x + r[3]! * y + r[6]! * z, r[1]! * x + r[4]! * y + r[7]! * z, r[2]! * x + r[5]! * y + r[8]! * z];
}

/** The yaw of an orientation (x, y, z, w): the angle about z, in radians, counter-clockwise from x. */
export function yawOf([x, y, z, w]: PoseReading['orientation']): number {
  return yaw(x, y, z, w);
}

/** The values, each clamped to the limits of its dimension. */
export function clampTo(dimensions: readonly Dimension[], values: ArrayLike<number>): Float64Array {
  return Float64Array.from(dimensions, ({ low, high }, i) => clamp(values[i]!, low, high));
}

/** A flat green disc for drawings that shows where a goal is, with its lower side at z = 0. Metres. */
export function goalMarker(goal: readonly [number, number], radius: number, halfHeight: number): SceneGeometry {
  return {
    name: 'goal',
    shape: 'cylinder',
    size: [radius, halfHeight, 0],
    rgba: [0.2, 0.7, 0.35, 0.8],
    position: [...goal, halfHeight],
    rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
}
