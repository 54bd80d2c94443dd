const FIRST_MS = 250;

/**
 * Milliseconds to wait before the attempt to connect after `failures` that failed: twice as long after each, at most
 * `longestMs`, and between half of that and all of it by chance, so that a fleet does not come back at the same moment.
 */
export function backoffMs(failures: number, random: number, longestMs: number): number {
  const most = Math.min(longestMs, FIRST_MS * 2 ** Math.min(failures, 20));
  return most * (0.5 + random / 2);
}
