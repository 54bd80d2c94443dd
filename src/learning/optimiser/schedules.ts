/**
 * A factor that falls linearly from 1 at update 0 to `floor` at update `horizon`, and stays there. A floor of 1 keeps
 * the factor constant.
 */
export function linearFall(update: number, horizon: number, floor: number): number {
  return 1 - (1 - floor) * Math.min(1, update / horizon);
}
