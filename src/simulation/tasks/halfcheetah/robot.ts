import { LYING } from '../../locomotion/legs.js';
import { type Link, type PlanarRobot, planarModel } from '../../locomotion/planar.js';
import type { LocomotionRules } from '../../locomotion/rules.js';

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
const HALF_CHEETAH: PlanarRobot = {
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

export const halfcheetahRules: LocomotionRules = {
  model: planarModel(HALF_CHEETAH),
  frameSkip: 5,
  positionNoise: 0.1,
  velocityNoise: { kind: 'normal', scale: 0.1 },
  velocityClip: Number.POSITIVE_INFINITY,
  controlCost: 0.1,
  aliveReward: 0,
  isHealthy: () => true,
};
