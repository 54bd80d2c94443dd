import { element, standingRobot } from './mjcf.js';
import type { LocomotionModel } from './model.js';

/** A point in the plane of motion, in metres: x points forward and z points up. */
export type Point = readonly [x: number, z: number];

/** A capsule that is fixed to a link: a cylinder with round ends. */
export interface Capsule {
  readonly name: string;
  /** The capsule's centre in the link's frame. */
  readonly centre: Point;
  /** The angle, in radians about +y, between the capsule's axis and the upright direction. */
  readonly tilt: number;
  /** The radius of the cylinder and of its round ends, in metres. */
  readonly radius: number;
  /** Half the length of the cylinder without its round ends, in metres. */
  readonly halfLength: number;
  /** The coefficient of sliding friction, where it differs from the one in the robot's `contact`. */
  readonly friction?: number;
}

/** The hinge by which a link hangs on its parent. A motor turns it about the axis that is perpendicular to the plane. */
export interface Hinge {
  readonly name: string;
  /** The hinge's position in the link's frame. It is the frame's origin where none is given. */
  readonly at?: Point;
  /** The lowest and the highest angle, in radians. */
  readonly range: readonly [number, number];
  /** The motor's torque at control 1, in N·m. */
  readonly gear: number;
  /** The damping of the hinge, in N·m·s/rad. */
  readonly damping: number;
  /** The stiffness of a spring that pulls the hinge to angle 0, in N·m/rad. There is no spring where it is not given. */
  readonly stiffness?: number;
}

/** A rigid part of the robot with its capsule, and the links that hang on it. */
export interface Link {
  readonly name: string;
  /** The origin of the link's frame in the frame of its parent. */
  readonly at: Point;
  readonly hinge: Hinge;
  readonly capsule: Capsule;
  readonly links?: readonly Link[];
}

/** A robot that moves in the x-z plane. Its torso slides forward and up and pitches freely, and its links hang on hinges. */
export interface PlanarRobot {
  readonly name: string;
  /** The height of the torso's frame above the ground, in metres, when all positions are at their start. */
  readonly height: number;
  /** Whether the vertical position is measured from the ground, so that it starts at `height`. Otherwise it starts at 0. */
  readonly heightFromGround: boolean;
  readonly torso: readonly Capsule[];
  readonly links: readonly Link[];
  /** +1 where a positive angle of a hinge turns its link about +y, and −1 where it turns it about −y. */
  readonly hingeSign: 1 | -1;
  /** The inertia of the motor's rotor that is added to every hinge, in kg·m². */
  readonly armature: number;
  /** The robot's mass in kg. Where it is not given, all capsules have a density of 1000 kg/m³. */
  readonly totalMass?: number;
  /** Whether the robot's own links collide with each other. */
  readonly selfCollision: boolean;
  /** MuJoCo's settings of contact for all bodies and the floor, as attributes of a geom in MJCF. */
  readonly contact: Readonly<Record<string, string>>;
  /** MuJoCo's `condim` between two links: 1 lets them slide without friction, 3 gives friction. Against the floor it is 3. */
  readonly contactDimensions: 1 | 3;
  /** MuJoCo's settings of the limits of all joints, as attributes of a joint in MJCF. */
  readonly limits?: Readonly<Record<string, string>>;
  readonly integrator: 'RK4' | 'Euler';
  /** The duration of one physics step, in seconds. */
  readonly timestep: number;
}

/** The torso's degrees of freedom: forward, up and pitch. They come first in qpos and qvel of every planar robot. */
const ROOT = [
  { name: 'rootx', unit: 'm' },
  { name: 'rootz', unit: 'm' },
  { name: 'rooty', unit: 'rad' },
] as const;

/** Lists all hinges in the order in which they stand in qpos, qvel and ctrl. */
function hingesOf(links: readonly Link[]): Hinge[] {
  return links.flatMap(({ hinge, links: children = [] }) => [hinge, ...hingesOf(children)]);
}

const inPlane = ([x, z]: Point): string => `${x} 0 ${z}`;

function capsule(part: Capsule, colour: string): string {
  return element('geom', {
    name: part.name,
    type: 'capsule',
    pos: inPlane(part.centre),
    axisangle: `0 1 0 ${part.tilt}`,
    size: `${part.radius} ${part.halfLength}`,
    friction: part.friction,
    rgba: colour,
  });
}

function body(link: Link, robot: PlanarRobot): string {
  const { hinge } = link;
  const joint = element('joint', {
    name: hinge.name,
    class: 'hinge',
    pos: inPlane(hinge.at ?? [0, 0]),
    range: hinge.range.join(' '),
    damping: hinge.damping,
    stiffness: hinge.stiffness,
  });
  const colour = /left|^f/.test(link.name) ? '0.55 0.35 0.65 1' : '0.85 0.55 0.3 1';
  const inner = [joint, capsule(link.capsule, colour), ...(link.links ?? []).map((child) => body(child, robot))];
  return element('body', { name: link.name, pos: inPlane(link.at) }, inner.join(''));
}

/** Writes the robot as a model in MJCF. */
function mjcf(robot: PlanarRobot): string {
  const hinge = {
    type: 'hinge',
    axis: `0 ${robot.hingeSign} 0`,
    limited: 'true',
    armature: robot.armature,
    ...robot.limits,
  };
  const [rootx, rootz, rooty] = ROOT.map(({ name }) => name);
  const root = [
    element('joint', { name: rootx, type: 'slide', axis: '1 0 0' }),
    element('joint', {
      name: rootz,
      type: 'slide',
      axis: '0 0 1',
      ref: robot.heightFromGround ? robot.height : undefined,
    }),
    element('joint', { name: rooty, type: 'hinge', axis: '0 1 0' }),
  ];
  return standingRobot({
    name: robot.name,
    integrator: robot.integrator,
    timestep: robot.timestep,
    totalMass: robot.totalMass,
    defaults: [
      element('geom', { contype: 1, conaffinity: 1, ...robot.contact }),
      element('default', { class: 'hinge' }, element('joint', hinge)),
      element(
        'default',
        { class: 'robot' },
        element('geom', { conaffinity: robot.selfCollision ? 1 : 0, condim: robot.contactDimensions }),
      ),
    ],
    torso: element(
      'body',
      { name: 'torso', pos: `0 0 ${robot.height}`, childclass: 'robot' },
      [
        ...root,
        ...robot.torso.map((part) => capsule(part, '0.85 0.55 0.3 1')),
        ...robot.links.map((link) => body(link, robot)),
      ].join(''),
    ),
    motors: hingesOf(robot.links).map(({ name, gear }) => ({ name, gear })),
  });
}

/** The model of a planar robot. Its sensors are those of joints, among which the torso's three degrees of freedom count. */
export function planarModel(robot: PlanarRobot): LocomotionModel {
  const motors = hingesOf(robot.links).map(({ name }) => name);
  const coordinates = [...ROOT, ...motors.map((name) => ({ name, unit: 'rad' }))];
  const names = coordinates.map(({ name }) => name);
  return {
    mjcf: mjcf(robot),
    positions: coordinates.map(({ name, unit }) => ({ name: `${name}_position`, unit })),
    unobserved: 1,
    velocities: coordinates.map(({ name, unit }) => ({ name: `${name}_velocity`, unit: `${unit}/s` })),
    motors,
    forward: ({ qpos }) => qpos[0]!,
    forwardLags: false,
    sense: (physics) => ({
      joints: {
        names,
        position: physics.qpos.slice(),
        velocity: physics.qvel.slice(),
        effort: physics.data('qfrc_actuator').slice(),
      },
    }),
  };
}
