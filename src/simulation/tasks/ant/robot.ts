import { degrees } from '../../geometry.js';
import type { LocomotionRules } from '../../locomotion/rules.js';
import { type SpatialLink, type SpatialRobot, spatialModel, type Vector } from '../../locomotion/spatial.js';

const RADIUS = 0.08;

/**
 * One leg, which points away from the torso towards (±1, ±1) seen from above: a stub that is fixed to the torso, a thigh
 * that the hip swings to and fro, and a shank that the ankle lifts and lowers.
 */
function leg(number: number, x: 1 | -1, y: 1 | -1): SpatialLink {
  const thigh: Vector = [0.2 * x, 0.2 * y, 0];
  const bent = [degrees(30), degrees(70)] as const;
  return {
    name: `stub_${number}`,
    at: [0, 0, 0],
    end: thigh,
    radius: RADIUS,
    links: [
      {
        name: `thigh_${number}`,
        at: thigh,
        hinge: { name: `hip_${number}`, axis: [0, 0, 1], range: [degrees(-30), degrees(30)] },
        end: thigh,
        radius: RADIUS,
        links: [
          {
            name: `shank_${number}`,
            at: thigh,
            // The axes of opposite legs are parallel, so that one bends down by positive angles and the other by negative.
            hinge: { name: `ankle_${number}`, axis: [-x * y, 1, 0], range: x > 0 ? bent : [-bent[1], -bent[0]] },
            end: [0.4 * x, 0.4 * y, 0],
            radius: RADIUS,
          },
        ],
      },
    ],
  };
}

/**
 * A four-legged ant (Schulman et al., 2015), with the numbers of gymnasium's Ant-v4: github.com/Farama-Foundation/Gymnasium,
 * gymnasium/envs/mujoco/assets/ant.xml, MIT licence. Its action begins with the fourth leg.
 */
const ANT: SpatialRobot = {
  name: 'ant',
  height: 0.75,
  radius: 0.25,
  links: [leg(1, 1, 1), leg(2, -1, 1), leg(3, -1, -1), leg(4, 1, -1)],
  motors: [4, 1, 2, 3].flatMap((number) => [`hip_${number}`, `ankle_${number}`]),
  gear: 150,
  damping: 1,
  armature: 1,
  density: 5,
  contact: { friction: '1 0.5 0.5', margin: '0.01' },
  integrator: 'RK4',
  timestep: 0.01,
};

export const antRules: LocomotionRules = {
  model: spatialModel(ANT),
  frameSkip: 5,
  positionNoise: 0.1,
  velocityNoise: { kind: 'normal', scale: 0.1 },
  velocityClip: Number.POSITIVE_INFINITY,
  controlCost: 0.5,
  aliveReward: 1,
  isHealthy: (qpos) => qpos[2]! >= 0.2 && qpos[2]! <= 1,
};
