/** A point in the plane of motion: forward (x) and up (z), metres. */
export type Point = readonly [x: number, z: number];

/** A capsule rigidly on a link. */
export interface Capsule {
  readonly name: string;
  /** Centre in the link's frame. */
  readonly centre: Point;
  /** Radians about +y from upright. */
  readonly tilt: number;
  readonly radius: number;
  /** Half the length between the two round ends, metres. */
  readonly halfLength: number;
  /** Sliding friction, where it differs from the robot's. */
  readonly friction?: number;
}

/** The motor-driven hinge by which a link hangs on its parent, about the axis across the plane. */
export interface Hinge {
  readonly name: string;
  /** Where it is in the link's frame; the frame's origin if not given. */
  readonly at?: Point;
  /** Radians. */
  readonly range: readonly [number, number];
  /** N m of torque at control 1. */
  readonly gear: number;
  /** N m s/rad. */
  readonly damping: number;
  /** N m/rad about angle 0. */
  readonly stiffness?: number;
}

export interface Link {
  readonly name: string;
  /** The link's frame in its parent's. */
  readonly at: Point;
  readonly hinge: Hinge;
  readonly capsule: Capsule;
  readonly links?: readonly Link[];
}

/** A robot that moves in the x-z plane: a torso free to slide forward and up and to pitch, and links on hinges. */
export interface PlanarRobot {
  readonly name: string;
  /** Height of the torso's frame when all positions are at their start, metres. */
  readonly height: number;
  /** Whether the vertical position counts from the ground (its start is `height`) or from the start (0). */
  readonly heightFromGround: boolean;
  readonly torso: readonly Capsule[];
  readonly links: readonly Link[];
  /** +1 where a positive angle pitches the link about +y, −1 about −y. */
  readonly hingeSign: 1 | -1;
  /** kg m², on every hinge. */
  readonly armature: number;
  /** Kilograms to scale the masses to; else a density of 1000 kg/m³ holds. */
  readonly totalMass?: number;
  /** Whether links of one robot collide with each other. */
  readonly selfCollision: boolean;
  /** MuJoCo's contact settings of all bodies and the floor. */
  readonly contact: Readonly<Record<string, string>>;
  /** 1: links among themselves slide without friction; 3: with. Against the floor it is always 3. */
  readonly contactDimensions: 1 | 3;
  /** MuJoCo's settings of all joint limits. */
  readonly limits?: Readonly<Record<string, string>>;
  readonly integrator: 'RK4' | 'Euler';
  /** Seconds a physics step. */
  readonly timestep: number;
}

/** Radians of an angle that is published in degrees. */
export const degrees = (angle: number): number => angle * (Math.PI / 180);

/** The three degrees of freedom of the plane, first in qpos and qvel of every planar robot. */
export const ROOT_JOINTS = ['rootx', 'rootz', 'rooty'] as const;

/** All hinges, in the order of qpos, qvel and ctrl. */
export function hingesOf(robot: PlanarRobot): Hinge[] {
  const walk = (links: readonly Link[]): Hinge[] => links.flatMap((link) => [link.hinge, ...walk(link.links ?? [])]);
  return walk(robot.links);
}

function element(tag: string, attributes: Readonly<Record<string, string | number | undefined>>, inner = ''): string {
  const text = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${value}"`)
    .join('');
  return inner === '' ? `<${tag}${text}/>` : `<${tag}${text}>${inner}</${tag}>`;
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

/** The robot on an endless floor, as MJCF. */
export function mjcf(robot: PlanarRobot): string {
  const hinge = {
    type: 'hinge',
    axis: `0 ${robot.hingeSign} 0`,
    limited: 'true',
    armature: robot.armature,
    ...robot.limits,
  };
  const defaults = [
    element('geom', { contype: 1, conaffinity: 1, ...robot.contact }),
    element('motor', { ctrllimited: 'true', ctrlrange: '-1 1' }),
    element('default', { class: 'hinge' }, element('joint', hinge)),
    element(
      'default',
      { class: 'robot' },
      element('geom', { conaffinity: robot.selfCollision ? 1 : 0, condim: robot.contactDimensions }),
    ),
  ];
  const root = [
    element('joint', { name: ROOT_JOINTS[0], type: 'slide', axis: '1 0 0' }),
    element('joint', {
      name: ROOT_JOINTS[1],
      type: 'slide',
      axis: '0 0 1',
      ref: robot.heightFromGround ? robot.height : undefined,
    }),
    element('joint', { name: ROOT_JOINTS[2], type: 'hinge', axis: '0 1 0' }),
  ];
  const torso = element(
    'body',
    { name: 'torso', pos: `0 0 ${robot.height}`, childclass: 'robot' },
    [
      ...root,
      ...robot.torso.map((part) => capsule(part, '0.85 0.55 0.3 1')),
      ...robot.links.map((link) => body(link, robot)),
    ].join(''),
  );
  const floor = element('geom', { name: 'floor', type: 'plane', size: '40 40 0.1', condim: 3, rgba: '0.8 0.85 0.8 1' });
  return element(
    'mujoco',
    { model: robot.name },
    [
      element('compiler', { angle: 'radian', inertiafromgeom: 'true', settotalmass: robot.totalMass }),
      element('option', { integrator: robot.integrator, timestep: robot.timestep }),
      element('size', { memory: '1M' }),
      element('default', {}, defaults.join('')),
      element('worldbody', {}, floor + torso),
      element(
        'actuator',
        {},
        hingesOf(robot)
          .map(({ name, gear }) => element('motor', { name, joint: name, gear }))
          .join(''),
      ),
    ].join(''),
  );
}
