import { degrees, type Link, type PlanarRobot } from './planar.js';

/** Horizontal, with the capsule's own axis towards −x, as the published models have it. */
const LYING = -Math.PI / 2;

/** One leg of thigh, shank and foot as hopper and walker have it: only the foot and the strengths differ. */
function leg(
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

const TORSO = { name: 'torso_geom', centre: [0, 0], tilt: 0, radius: 0.05, halfLength: 0.2, friction: 0.9 } as const;

/** One-legged hopper (Erez, Tassa & Todorov, 2012), with the numbers of gymnasium's Hopper-v4 and v5. */
export const HOPPER: PlanarRobot = {
  name: 'hopper',
  height: 1.25,
  heightFromGround: true,
  torso: [TORSO],
  links: [leg('', { toe: 0.13, halfLength: 0.195, friction: 2 }, { gear: 200, damping: 1 })],
  hingeSign: -1,
  armature: 1,
  selfCollision: true,
  contact: { margin: '0.001', solref: '0.02 1', solimp: '0.8 0.8 0.01' },
  contactDimensions: 1,
  integrator: 'RK4',
  timestep: 0.002,
};

/**
 * Two-legged planar walker with the numbers of gymnasium's Walker2d. In v4 the right foot's friction is 0.9 and the
 * left foot's 1.9; v5 gives both 1.9.
 */
export function walker(version: 'v4' | 'v5'): PlanarRobot {
  const strength = { gear: 100, damping: 0.1 };
  const foot = { toe: 0.2, halfLength: 0.1 };
  return {
    name: 'walker2d',
    height: 1.25,
    heightFromGround: true,
    torso: [TORSO],
    links: [
      leg('', { ...foot, friction: version === 'v4' ? 0.9 : 1.9 }, strength),
      leg('_left', { ...foot, friction: 1.9 }, strength),
    ],
    hingeSign: -1,
    armature: 0.01,
    selfCollision: false,
    contact: { friction: '0.7 0.1 0.1' },
    contactDimensions: 3,
    integrator: 'RK4',
    timestep: 0.002,
  };
}

/** A cheetah's leg part: hinge at the frame's origin, spring and damper on it (Wawrzyński, 2009). */
function cheetahPart(
  name: string,
  at: readonly [number, number],
  shape: { readonly centre: readonly [number, number]; readonly tilt: number; readonly halfLength: number },
  hinge: {
    readonly range: readonly [number, number];
    readonly gear: number;
    readonly damping: number;
    readonly stiffness: number;
  },
  ...links: Link[]
): Link {
  return { name, at, hinge: { name, ...hinge }, capsule: { name, radius: 0.046, ...shape }, links };
}

/** Half a cheetah with the numbers of gymnasium's HalfCheetah-v4 and v5. */
export const HALF_CHEETAH: PlanarRobot = {
  name: 'halfcheetah',
  height: 0.7,
  heightFromGround: false,
  torso: [
    { name: 'torso', centre: [0, 0], tilt: LYING, radius: 0.046, halfLength: 0.5 },
    { name: 'head', centre: [0.6, 0.1], tilt: 0.87, radius: 0.046, halfLength: 0.15 },
  ],
  links: [
    cheetahPart(
      'bthigh',
      [-0.5, 0],
      { centre: [0.1, -0.13], tilt: -3.8, halfLength: 0.145 },
      { range: [-0.52, 1.05], gear: 120, damping: 6, stiffness: 240 },
      cheetahPart(
        'bshin',
        [0.16, -0.25],
        { centre: [-0.14, -0.07], tilt: -2.03, halfLength: 0.15 },
        { range: [-0.785, 0.785], gear: 90, damping: 4.5, stiffness: 180 },
        cheetahPart(
          'bfoot',
          [-0.28, -0.14],
          { centre: [0.03, -0.097], tilt: -0.27, halfLength: 0.094 },
          { range: [-0.4, 0.785], gear: 60, damping: 3, stiffness: 120 },
        ),
      ),
    ),
    cheetahPart(
      'fthigh',
      [0.5, 0],
      { centre: [-0.07, -0.12], tilt: 0.52, halfLength: 0.133 },
      { range: [-1, 0.7], gear: 120, damping: 4.5, stiffness: 180 },
      cheetahPart(
        'fshin',
        [-0.14, -0.24],
        { centre: [0.065, -0.09], tilt: -0.6, halfLength: 0.106 },
        { range: [-1.2, 0.87], gear: 60, damping: 3, stiffness: 120 },
        cheetahPart(
          'ffoot',
          [0.13, -0.18],
          { centre: [0.045, -0.07], tilt: -0.6, halfLength: 0.07 },
          { range: [-0.5, 0.5], gear: 30, damping: 1.5, stiffness: 60 },
        ),
      ),
    ),
  ],
  hingeSign: 1,
  armature: 0.1,
  totalMass: 14,
  selfCollision: false,
  contact: { friction: '0.4 0.1 0.1', solref: '0.02 1', solimp: '0 0.8 0.01' },
  contactDimensions: 3,
  limits: { solreflimit: '0.02 1', solimplimit: '0 0.8 0.03' },
  integrator: 'Euler',
  timestep: 0.01,
};
