import { leg, TORSO } from '../../locomotion/legs.js';
import { type PlanarRobot, planarModel } from '../../locomotion/planar.js';
import type { LocomotionRules } from '../../locomotion/rules.js';

/** One-legged hopper (Erez, Tassa & Todorov, 2012), with the numbers of gymnasium's Hopper-v4 and v5. */
const HOPPER: PlanarRobot = {
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

function isHealthy(qpos: Float64Array, qvel: Float64Array): boolean {
  for (let i = 2; i < qpos.length; i++) if (!(Math.abs(qpos[i]!) < 100)) return false;
  for (let i = 0; i < qvel.length; i++) if (!(Math.abs(qvel[i]!) < 100)) return false;
  return qpos[1]! > 0.7 && Math.abs(qpos[2]!) < 0.2;
}

export const hopperRules: LocomotionRules = {
  model: planarModel(HOPPER),
  frameSkip: 4,
  positionNoise: 0.005,
  velocityNoise: { kind: 'uniform', scale: 0.005 },
  velocityClip: 10,
  controlCost: 1e-3,
  aliveReward: 1,
  isHealthy,
};
