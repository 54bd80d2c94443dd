import { clamp, yawOf as yaw } from '../common/index.js';
import type { Dimension, PoseReading, SceneGeometry } from './task.js';

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
  return yaw(x, y, z, w);
}

/** Each value within its dimension's limits. */
export function clampTo(dimensions: readonly Dimension[], values: ArrayLike<number>): Float64Array {
  return Float64Array.from(dimensions, ({ low, high }, i) => clamp(values[i]!, low, high));
}

/** A flat green disc that shows where a goal is; nothing collides with it. Metres. */
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
