import { smoothstep } from '../../shaping.js';
import { armTools } from './model.js';
import { armDimensions } from './observation.js';

/** How the arm's expert pushes. */
const STYLE = {
  /** m/s while pushing. */
  pushSpeed: 0.06,
  /** m/s at most while approaching. */
  approachSpeed: 0.1,
  /** The tool waits this far behind the puck until it stands on the line, m. */
  standOff: 0.025,
  /** Off the line by less than the first it pushes, by more than the second it only approaches, m. */
  aligned: [0.008, 0.035],
  /** 1/s, across and along the line. */
  lateralGain: 3,
  alongGain: 4,
  /** From this distance to the goal on it slows down, m. */
  slowWithin: 0.07,
} as const;

/**
 * The arm's driver: brings the tool behind the puck, seen from the goal, and pushes along that line while it takes
 * back sideways deviations; stops when the puck is there. A smooth function of one observation without memory.
 */
export function armExpert(): (observation: ArrayLike<number>) => [number, number] {
  const at = (name: string): number => armDimensions.findIndex((d) => d.name === name);
  const object = [at('object_x'), at('object_y')] as const;
  const goal = [at('goal_distance'), at('goal_bearing_cos'), at('goal_bearing_sin')] as const;
  const touching = armTools.puckRadius + armTools.tipRadius;

  return (observation) => {
    const distance = observation[goal[0]]!;
    const [ux, uy] = [observation[goal[1]]!, observation[goal[2]]!];
    // The tool as seen from the puck: along the line to the goal (negative behind the puck) and to the left of it.
    const [tx, ty] = [-observation[object[0]]!, -observation[object[1]]!];
    const along = ux * tx + uy * ty;
    const left = ux * ty - uy * tx;

    const ready = 1 - smoothstep(STYLE.aligned[0], STYLE.aligned[1], Math.abs(left));
    const push = STYLE.pushSpeed * smoothstep(0, STYLE.slowWithin, distance);
    const approach = limited(STYLE.alongGain * (-touching - STYLE.standOff - along), STYLE.approachSpeed);
    // Where the tool stands beside the puck it has to go around: outwards first.
    const beside =
      smoothstep(-0.8 * touching, -0.2 * touching, along) * (1 - smoothstep(touching, touching + 0.04, Math.abs(left)));
    const across = limited(-STYLE.lateralGain * left * (1 - 2 * beside), STYLE.approachSpeed);
    const active = smoothstep(0.01, 0.04, distance);
    const forward = active * (ready * push + (1 - ready) * approach);
    const sideways = active * across;
    return [ux * forward - uy * sideways, uy * forward + ux * sideways];
  };
}

/** Nearly `value` while small, never beyond ±`limit`. */
function limited(value: number, limit: number): number {
  return limit * Math.tanh(value / limit);
}
