/** `value`, or the nearest bound if it lies outside low…high. NaN stays NaN. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** The arithmetic mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Yaw of an orientation, given as a unit quaternion: radians, counter-clockwise from the x axis, seen from above. */
export function yawOf(x: number, y: number, z: number, w: number): number {
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}

/** A whole turn in radians. */
export const TURN = 2 * Math.PI;

/** Whether an angle went on from the end of its turn to the beginning, or back: an encoder that gives it within one turn jumps there. */
export function isWrapped(before: number, now: number): boolean {
  return Math.max(Math.abs(before), Math.abs(now)) <= 1.01 * TURN && Math.abs(now - before) > 0.75 * TURN;
}

/** How many of `length` items come first for which `isBefore` holds; it holds for none behind one for which it does not. */
export function countBefore(length: number, isBefore: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
