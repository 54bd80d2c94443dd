import { leg, TORSO } from '../../locomotion/legs.js';
import { type PlanarRobot, planarModel } from '../../locomotion/planar.js';
import type { GymnasiumVersion, LocomotionRules } from '../../locomotion/rules.js';

/**
 * Two-legged planar walker with the numbers of gymnasium's Walker2d. In v4 the right foot's friction is 0.9 and the
 * left foot's 1.9; v5 gives both 1.9.
 */
function walker(version: GymnasiumVersion): PlanarRobot {
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

export const walkerRules = (version: GymnasiumVersion): LocomotionRules => ({
  model: planarModel(walker(version)),
  frameSkip: 4,
  positionNoise: 0.005,
  velocityNoise: { kind: 'uniform', scale: 0.005 },
  velocityClip: 10,
  controlCost: 1e-3,
  aliveReward: 1,
  isHealthy: (qpos) => qpos[1]! > 0.8 && qpos[1]! < 2 && Math.abs(qpos[2]!) < 1,
});
