import { degrees } from '../geometry.js';
import type { Link } from './planar.js';

/** Tilt of a capsule that lies along the direction of motion: its own axis points towards −x, as in the published models. */
export const LYING = -Math.PI / 2;

/** A leg of thigh, shank and foot: hopper and walker have the same one, except for the foot and the strength of the hinges. */
export function leg(
  suffix: string,
  foot: { readonly toe: number; readonly halfLength: number; readonly friction: number },
  strength: { readonly gear: number; readonly damping: number },
): Link {
  const part = (name: string): string => `${name}${suffix}`;
  return {
    name: part('thigh'),
    at: [0, -0.2],
    hinge: { name: `${part('thigh')}_joint`, range: [degrees(-150), 0], ...strength },
    capsule: {
      name: `${part('thigh')}_geom`,
      centre: [0, -0.225],
      tilt: 0,
      radius: 0.05,
      halfLength: 0.225,
      friction: 0.9,
    },
    links: [
      {
        name: part('leg'),
        at: [0, -0.7],
        hinge: { name: `${part('leg')}_joint`, at: [0, 0.25], range: [degrees(-150), 0], ...strength },
        capsule: {
          name: `${part('leg')}_geom`,
          centre: [0, 0],
          tilt: 0,
          radius: 0.04,
          halfLength: 0.25,
          friction: 0.9,
        },
        links: [
          {
            name: part('foot'),
            at: [foot.toe, -0.35],
            hinge: {
              name: `${part('foot')}_joint`,
              at: [-foot.toe, 0.1],
              range: [degrees(-45), degrees(45)],
              ...strength,
            },
            capsule: {
              name: `${part('foot')}_geom`,
              centre: [-foot.toe / 2, 0.1],
              tilt: LYING,
              radius: 0.06,
              halfLength: foot.halfLength,
              friction: foot.friction,
            },
          },
        ],
      },
    ],
  };
}

/** The upright torso of hopper and walker. */
export const TORSO = {
  name: 'torso_geom',
  centre: [0, 0],
  tilt: 0,
  radius: 0.05,
  halfLength: 0.2,
  friction: 0.9,
} as const;
