import { rotate, rotateBack, rotationMatrix } from '../geometry.js';
import type { Physics } from '../physics/physics.js';
import type { SensorReadings } from '../task.js';
import { element, standingRobot } from './mjcf.js';
import type { LocomotionModel } from './model.js';

/** A point or a direction in space: x points forward, y to the left and z up. Points are in metres. */
export type Vector = readonly [x: number, y: number, z: number];

/** The hinge by which a link hangs on its parent, at the origin of the link's frame. A motor turns it. */
export interface SpatialHinge {
  readonly name: string;
  /** The axis in the link's frame. Its length does not matter. */
  readonly axis: Vector;
  /** The lowest and the highest angle, in radians. */
  readonly range: readonly [number, number];
}

/** A rigid part of the robot, a capsule, and the links that hang on it. A link without a hinge is fixed to its parent. */
export interface SpatialLink {
  readonly name: string;
  /** The origin of the link's frame in the frame of its parent. */
  readonly at: Vector;
  readonly hinge?: SpatialHinge;
  /** Where the capsule's cylinder ends, in the link's frame. It begins at the frame's origin. */
  readonly end: Vector;
  /** The radius of the cylinder and of its round ends, in metres. */
  readonly radius: number;
  readonly links?: readonly SpatialLink[];
}

/** A robot that moves freely in space: its torso is a ball, on which links hang that do not collide with each other. */
export interface SpatialRobot {
  readonly name: string;
  /** The height of the torso's centre above the ground, in metres, when all positions are at their start. */
  readonly height: number;
  /** The radius of the torso, in metres. */
  readonly radius: number;
  readonly links: readonly SpatialLink[];
  /** The names of the hinges in the order of the action. */
  readonly motors: readonly string[];
  /** The torque of every motor at control 1, in N·m. */
  readonly gear: number;
  /** The damping of every hinge, in N·m·s/rad. */
  readonly damping: number;
  /** The inertia of the motor's rotor that is added to every hinge, in kg·m². */
  readonly armature: number;
  /** The density of all parts, in kg/m³. */
  readonly density: number;
  /** MuJoCo's settings of contact for all parts and the floor, as attributes of a geom in MJCF. */
  readonly contact: Readonly<Record<string, string>>;
  readonly integrator: 'RK4' | 'Euler';
  /** The duration of one physics step, in seconds. */
  readonly timestep: number;
}

/** The torso's free joint: 7 numbers of qpos (place, then the quaternion w x y z) and 6 of qvel (moving, then turning). */
const PLACE = 3;
const POSE = 7;
const TWIST = 6;

/** Lists all hinges in the order in which they stand in qpos and qvel. */
function hingesOf(links: readonly SpatialLink[]): SpatialHinge[] {
  return links.flatMap(({ hinge, links: children = [] }) => [
    ...(hinge === undefined ? [] : [hinge]),
    ...hingesOf(children),
  ]);
}

function body({ name, at, hinge, end, radius, links = [] }: SpatialLink): string {
  const joint =
    hinge === undefined
      ? ''
      : element('joint', {
          name: hinge.name,
          class: 'hinge',
          axis: hinge.axis.join(' '),
          range: hinge.range.join(' '),
        });
  const capsule = element('geom', {
    name: `${name}_geom`,
    type: 'capsule',
    fromto: [0, 0, 0, ...end].join(' '),
    size: radius,
    rgba: '0.55 0.35 0.65 1',
  });
  return element('body', { name, pos: at.join(' ') }, [joint, capsule, ...links.map(body)].join(''));
}

/** Writes the robot as a model in MJCF. */
function mjcf(robot: SpatialRobot): string {
  const { name, integrator, timestep, damping, armature, density, gear } = robot;
  return standingRobot({
    name,
    integrator,
    timestep,
    defaults: [
      element('geom', { density, ...robot.contact }),
      element('default', { class: 'hinge' }, element('joint', { type: 'hinge', limited: 'true', damping, armature })),
      // Of two parts that collide one has conaffinity: the floor has it, and the robot has not.
      element('default', { class: 'robot' }, element('geom', { conaffinity: 0, condim: 3 })),
    ],
    torso: element(
      'body',
      { name: 'torso', pos: `0 0 ${robot.height}`, childclass: 'robot' },
      [
        // A margin without limits has no effect: it is the published model's, so that all constants are the same.
        element('joint', { name: 'root', type: 'free', margin: 0.01 }),
        element('geom', { name: 'torso_geom', type: 'sphere', size: robot.radius, rgba: '0.85 0.55 0.3 1' }),
        ...robot.links.map(body),
      ].join(''),
    ),
    motors: robot.motors.map((motor) => ({ name: motor, gear })),
  });
}

const three = (values: Float64Array, from: number): Vector => [values[from]!, values[from + 1]!, values[from + 2]!];

/** The pose and the velocity of the torso, as a robot's state estimator gives them, and the joints. */
function sense(physics: Physics, names: readonly string[]): SensorReadings {
  const { qpos, qvel } = physics;
  const orientation = [...three(qpos, PLACE + 1), qpos[PLACE]!] as const;
  const rotation = rotationMatrix(orientation);
  // MuJoCo gives a free joint's linear velocity in the world's frame and its angular velocity in the body's.
  const [linear, angular] = [three(qvel, 0), three(qvel, PLACE)];
  return {
    joints: {
      names,
      position: qpos.slice(POSE),
      velocity: qvel.slice(TWIST),
      effort: physics.data('qfrc_actuator').slice(TWIST),
    },
    odometry: {
      pose: { position: three(qpos, 0), orientation },
      linear: rotateBack(rotation, linear),
      angular,
    },
    twists: { velocity: { linear, angular: rotate(rotation, angular) } },
  };
}

/** A quaternion to which noise was added gets length 1 again. MuJoCo itself turns bodies only by its direction. */
function normalise(qpos: Float64Array): void {
  const length = Math.hypot(...qpos.subarray(PLACE, POSE));
  for (let i = PLACE; i < POSE; i++) qpos[i]! /= length;
}

/**
 * The model of a robot in space. The observation has the torso's linear velocity in the world's frame, the way MuJoCo
 * has it, and its angular velocity in its own. The robot's sensors are odometry, joints, and `velocity`: the torso's
 * velocity in the world's frame.
 */
export function spatialModel(robot: SpatialRobot): LocomotionModel {
  const hinges = hingesOf(robot.links).map(({ name }) => name);
  const named = (unit: string, ...names: string[]) => names.map((name) => ({ name, unit }));
  return {
    mjcf: mjcf(robot),
    positions: [
      ...named('m', 'x', 'y', 'height'),
      ...named('1', 'orientation_w', 'orientation_x', 'orientation_y', 'orientation_z'),
      ...named('rad', ...hinges.map((name) => `${name}_position`)),
    ],
    unobserved: 2,
    velocities: [
      ...named('m/s', 'velocity_x', 'velocity_y', 'velocity_z'),
      ...named('rad/s', 'angular_velocity_x', 'angular_velocity_y', 'angular_velocity_z'),
      ...named('rad/s', ...hinges.map((name) => `${name}_velocity`)),
    ],
    motors: robot.motors,
    // Gymnasium reads where the torso is from xpos, which a step leaves as it was within the step's last moment.
    forward: (physics) => physics.data('xpos')[3]!,
    forwardLags: true,
    normalise,
    sense: (physics) => sense(physics, hinges),
  };
}
