import type { BoxSpace } from '../task.js';
import { smoothstep } from './shaping.js';

/** How the rover's expert drives; found by search over fresh starts. */
const STYLE = {
  /** Candidate headings, over the sensor's field of view. */
  candidates: 55,
  /** Half width of the lane that has to be free, m, and over how much it fades. */
  lane: 0.22,
  laneFade: 0.06,
  /** Obstacles further than this are left for later, m. */
  reach: 0.9,
  /** What a blocked heading costs against turning away from the goal (which costs 1 at 90°). */
  blockedCost: 4,
  /** What a heading costs for not being the present one. */
  turnCost: 0.45,
  /** Softness of the choice between headings. */
  temperature: 0.05,
  /** rad/s, and rad/s a radian. */
  turnLimit: 1.5,
  turnGain: 2,
  /** m/s */
  cruise: 0.5,
  /** Free way ahead below which it slows down, m, beyond the front. */
  slowWithin: 0.5,
  /** It stands still within this distance of the goal, m. */
  stopWithin: 0.08,
} as const;

/**
 * The rover's driver: weighs every heading by its detour and by what the scan shows in its lane, follows the softly
 * chosen one, slows before obstacles and stops at the goal. A smooth function of one observation, without memory.
 */
export function roverExpert(space: BoxSpace): (observation: ArrayLike<number>) => [number, number] {
  const at = (name: string): number => space.dimensions.findIndex((d) => d.name === name);
  const [distanceAt, sinAt, cosAt] = [at('goal_distance'), at('goal_bearing_sin'), at('goal_bearing_cos')];
  const scanAt = space.dimensions.flatMap((d, i) => (/^scan_\d+$/.test(d.name) ? [i] : []));
  const fieldOfView = 1.5 * Math.PI;
  const width = fieldOfView / scanAt.length;
  const angles = scanAt.map((_, i) => -fieldOfView / 2 + (i + 0.5) * width);
  const headings = Array.from(
    { length: STYLE.candidates },
    (_, k) => -fieldOfView / 2 + (fieldOfView * k) / (STYLE.candidates - 1),
  );

  /** How much of the lane towards `heading` is taken, 0…1. */
  const blocked = (ranges: readonly number[], heading: number, reach: number): number => {
    let free = 1;
    for (let i = 0; i < ranges.length; i++) {
      const off = Math.max(0, Math.abs(angles[i]! - heading) - width / 4);
      if (off >= Math.PI / 2) continue;
      const near = 1 - smoothstep(0.3 * reach, reach, ranges[i]! * Math.cos(off));
      const inLane =
        1 - smoothstep(STYLE.lane - STYLE.laneFade, STYLE.lane + STYLE.laneFade, ranges[i]! * Math.sin(off));
      free *= 1 - near * inLane * Math.cos(off);
    }
    return 1 - free;
  };

  return (observation) => {
    const distance = observation[distanceAt]!;
    const bearing = Math.atan2(observation[sinAt]!, observation[cosAt]!);
    const ranges = scanAt.map((i) => observation[i]!);
    const reach = Math.min(STYLE.reach, distance + 0.1);
    const costs = headings.map(
      (heading) =>
        1 -
        Math.cos(heading - bearing) +
        STYLE.turnCost * (1 - Math.cos(heading)) +
        STYLE.blockedCost * blocked(ranges, heading, reach),
    );
    const least = Math.min(...costs);
    let x = 0;
    let y = 0;
    costs.forEach((cost, k) => {
      const weight = Math.exp((least - cost) / STYLE.temperature);
      x += weight * Math.cos(headings[k]!);
      y += weight * Math.sin(headings[k]!);
    });
    const heading = Math.atan2(y, x);
    const ahead = Math.min(
      ...ranges.map((range, i) => (Math.abs(angles[i]!) < 0.6 ? range : Number.POSITIVE_INFINITY)),
    );
    const arriving = smoothstep(STYLE.stopWithin, STYLE.stopWithin + 0.5, distance);
    const caution = smoothstep(0.15, 0.18 + STYLE.slowWithin, Math.max(ahead, 0));
    const v = STYLE.cruise * Math.max(0, Math.cos(heading)) ** 2 * (0.15 + 0.85 * caution) * arriving;
    const w = STYLE.turnLimit * Math.tanh((STYLE.turnGain / STYLE.turnLimit) * heading) * smoothstep(0, 0.3, distance);
    return [v, w];
  };
}
