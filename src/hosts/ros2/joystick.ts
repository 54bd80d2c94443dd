import { IqLearnError } from '../../common/index.js';
import { isTwist, type RobotSpec } from '../../robot/index.js';

/** A part of a twist, and teleop_twist_joy's names of its parameters. */
const parts = {
  'linear.x': 'linear.x',
  'linear.y': 'linear.y',
  'linear.z': 'linear.z',
  'angular.z': 'angular.yaw',
  'angular.y': 'angular.pitch',
  'angular.x': 'angular.roll',
} as const;
type Part = keyof typeof parts;

/** Axes of an Xbox pad under joy_node: the left stick drives; where it moves sideways, too, the right one turns. */
function axisOf(part: Part, isSideways: boolean): number {
  if (part === 'linear.x') return 1;
  if (part === 'linear.y') return 0;
  if (part === 'linear.z') return 4;
  if (part === 'angular.z') return isSideways ? 3 : 0;
  return -1;
}

/** A number that Python and JSON read as a float. */
const float = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/**
 * The parameters of teleop_twist_joy for a robot, as texts: a stick that is pushed all the way commands the limit of the
 * robot's description, and parts of the twist that the robot does not take stay 0. Throws UNSUPPORTED for a robot that no
 * twist commands.
 */
export function joystickOf(spec: RobotSpec): Record<string, string> {
  const command = spec.commands.find(isTwist);
  if (command === undefined)
    throw new IqLearnError('UNSUPPORTED', `a joystick cannot drive ${spec.robot}`, {
      found: spec.commands.map(({ topic, type }) => `${topic} (${type})`).join(', '),
      expected: 'a robot that is commanded by a twist',
      remedy: `teleop:=none, and something that publishes ${spec.commands.map(({ teleop }) => teleop.topic).join(', ')}: a leader arm, MoveIt, a joystick node for that type`,
    });
  const limits = new Map<string, number>();
  for (const { command: name, path, low, high } of spec.action)
    if (name === command.name) limits.set(path.replace(/^twist\./, ''), Math.max(Math.abs(low), Math.abs(high)));
  const isSideways = limits.has('linear.y');
  const out: Record<string, string> = { frame: spec.frameId };
  for (const [part, name] of Object.entries(parts) as [Part, string][]) {
    const limit = limits.get(part);
    out[`axis_${name}`] = String(limit === undefined ? -1 : axisOf(part, isSideways));
    out[`scale_${name}`] = float(limit ?? 0);
  }
  return out;
}
