/** A hinge as the motor on it is written. */
export interface Motor {
  readonly name: string;
  /** The motor's torque at control 1, in N·m. */
  readonly gear: number;
}

/** The parts of a model in MJCF that differ from robot to robot. */
export interface ModelParts {
  readonly name: string;
  readonly integrator: 'RK4' | 'Euler';
  /** The duration of one physics step, in seconds. */
  readonly timestep: number;
  /** The robot's mass in kg, where it is not that of its geometries. */
  readonly totalMass?: number | undefined;
  /** The elements of MuJoCo's `default`, in MJCF. */
  readonly defaults: readonly string[];
  /** The body of the torso with all that hangs on it, in MJCF. */
  readonly torso: string;
  /** The motors in the order of ctrl. */
  readonly motors: readonly Motor[];
}

/** One element of XML. An attribute that is undefined is left out. */
export function element(
  tag: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  inner = '',
): string {
  const text = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${value}"`)
    .join('');
  return inner === '' ? `<${tag}${text}/>` : `<${tag}${text}>${inner}</${tag}>`;
}

/** Writes a robot, standing on an endless floor, as a model in MJCF. */
export function standingRobot({ name, integrator, timestep, totalMass, defaults, torso, motors }: ModelParts): string {
  const floor = element('geom', { name: 'floor', type: 'plane', size: '40 40 0.1', condim: 3, rgba: '0.8 0.85 0.8 1' });
  return element(
    'mujoco',
    { model: name },
    [
      element('compiler', { angle: 'radian', inertiafromgeom: 'true', settotalmass: totalMass }),
      element('option', { integrator, timestep }),
      element('size', { memory: '1M' }),
      element('default', {}, [...defaults, element('motor', { ctrllimited: 'true', ctrlrange: '-1 1' })].join('')),
      element('worldbody', {}, floor + torso),
      element('actuator', {}, motors.map((motor) => element('motor', { joint: motor.name, ...motor })).join('')),
    ].join(''),
  );
}
