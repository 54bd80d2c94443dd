/** Where a fall begins and ends, in updates. */
export interface Fall {
  readonly start: number;
  readonly end: number;
}

/**
 * A factor that is 1 until update `start`, falls linearly to `floor` at update `end`, and stays there. A floor of 1
 * keeps the factor constant.
 */
export function linearFall(update: number, { start, end }: Fall, floor: number): number {
  const share = end > start ? (update - start) / (end - start) : 1;
  return 1 - (1 - floor) * Math.min(1, Math.max(0, share));
}
