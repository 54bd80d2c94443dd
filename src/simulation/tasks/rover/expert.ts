import { smoothstep } from '../../shaping.js';
import { roverDimensions, scanFieldOfView } from './observation.js';

/** How the rover's expert drives. */
const STYLE = {
  /** m/s */
  cruise: 0.55,
  /** rad/s */
  turnLimit: 1.5,
  /** Towards the goal: rad/s a radian of bearing, and the bearing (rad) at which more of it hardly counts. */
  goalGain: 2,
  goalSaturation: 1,
  /** Obstacles further than this do not matter, m; the nearer, the more, by this power. */
  reach: 1,
  nearness: 1.5,
  /** Away from an obstacle: rad/s a sector that is full of it, times its weight by angle. */
  avoidGain: 5.5,
  /** Obstacles beyond this angle (rad) are passed already. */
  avoidWithin: 1.4,
  /** What stands ahead is passed on its left side: how strongly, and within which angle (rad) it stands ahead. */
  keepLeft: 0.6,
  aheadWithin: 0.55,
  /** Slowing for what stands ahead, and the share of the speed that is always kept. */
  slowGain: 1.6,
  creep: 0.2,
  /** Share of the speed that is given up in the tightest turn. */
  turnSlows: 0.6,
} as const;

/**
 * The rover's driver: turns towards the goal and away from what the scan shows, keeps left of what stands straight
 * ahead, slows for obstacles and turns, and comes to rest at the goal. A potential field, so a smooth function of one
 * observation without memory.
 */
export function roverExpert(): (observation: ArrayLike<number>) => [number, number] {
  const at = (name: string): number => roverDimensions.findIndex((d) => d.name === name);
  const [distanceAt, sinAt, cosAt] = [at('goal_distance'), at('goal_bearing_sin'), at('goal_bearing_cos')];
  const scanAt = roverDimensions.flatMap((d, i) => (/^scan_\d+$/.test(d.name) ? [i] : []));
  const weights = scanAt.map((_, i) => {
    const angle = scanFieldOfView * ((i + 0.5) / scanAt.length - 0.5);
    const ahead = Math.exp(-((angle / STYLE.aheadWithin) ** 2));
    const beside = Math.abs(angle) < STYLE.avoidWithin ? Math.cos(((angle / STYLE.avoidWithin) * Math.PI) / 2) : 0;
    return { avoid: STYLE.keepLeft * ahead - Math.tanh(angle / 0.3) * beside, slow: ahead };
  });

  return (observation) => {
    const distance = observation[distanceAt]!;
    const bearing = Math.atan2(observation[sinAt]!, observation[cosAt]!);
    let avoid = 0;
    let slow = 0;
    scanAt.forEach((at, i) => {
      const near = Math.max(0, 1 - observation[at]! / STYLE.reach) ** STYLE.nearness;
      avoid += near * weights[i]!.avoid;
      slow += near * weights[i]!.slow;
    });
    // An obstacle behind the goal is no reason not to go there.
    const caution = Math.min(1, distance / 0.6);
    const turn =
      STYLE.goalGain * STYLE.goalSaturation * Math.tanh(bearing / STYLE.goalSaturation) +
      STYLE.avoidGain * caution * avoid;
    const w = STYLE.turnLimit * Math.tanh(turn / STYLE.turnLimit) * smoothstep(0, 0.3, distance);
    const v =
      STYLE.cruise *
      (1 - STYLE.turnSlows * (w / STYLE.turnLimit) ** 2) *
      (STYLE.creep + (1 - STYLE.creep) * Math.exp(-STYLE.slowGain * caution * slow)) *
      (1 - (1 - smoothstep(0.2, 0.8, distance)) * (1 - Math.max(0, Math.cos(bearing)))) *
      smoothstep(0, 0.5, distance);
    return [v, w];
  };
}
