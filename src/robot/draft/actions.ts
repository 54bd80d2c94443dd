import type { PathCommand } from '../kinds/message-kind.js';
import { messageKind } from '../kinds/registry.js';
import type { DraftCommand } from './commands.js';
import { is, type JointLimits, nameOf, outwards, type SeenTopic, text } from './topics.js';

/** The actions of a command, without what says whose they are; `limits` are of a URDF. */
export function actionsOf({ topic, guessedJoints }: DraftCommand, limits: readonly JointLimits[]): string[] {
  const command = messageKind(topic.type)?.command;
  if (command?.addresses === 'paths') return pathActions(topic, command);
  const lines = jointActions(topic, limits);
  return guessedJoints ? lines.map((line) => `${line}${line.includes('#') ? ';' : ' #'} the joint is a guess`) : lines;
}

/** A number of a command: its largest where none was seen, and its largest change a second; `always` is one that every robot takes. */
interface Part {
  readonly name: string;
  readonly path: string;
  readonly unit: string;
  readonly usual: number;
  readonly rate: number;
  readonly always?: true;
}

const part = (name: string, path: string, unit: string, usual: number, rate: number, always?: true): Part => ({
  name,
  path,
  unit,
  usual,
  rate,
  ...(always === undefined ? {} : { always }),
});

/** What the bodies of commands with paths consist of. */
const partsOfBody: Readonly<Record<string, readonly Part[]>> = {
  twist: [
    part('linear_velocity', 'linear.x', 'm/s', 0.2, 1, true),
    part('sideways_velocity', 'linear.y', 'm/s', 0.2, 1),
    part('upward_velocity', 'linear.z', 'm/s', 0.2, 1),
    part('roll_rate', 'angular.x', 'rad/s', 0.5, 4),
    part('pitch_rate', 'angular.y', 'rad/s', 0.5, 4),
    part('angular_velocity', 'angular.z', 'rad/s', 0.5, 4, true),
  ],
  // The rest of an AckermannDrive are limits that the vehicle keeps, and 0 leaves them to it.
  drive: [part('speed', 'speed', 'm/s', 0.2, 1, true), part('steering_angle', 'steering_angle', 'rad', 0.3, 1, true)],
};

/** The numbers that were used; those that every robot takes where none was seen. */
function pathActions({ ranges }: SeenTopic, { body, bodyPath }: PathCommand): string[] {
  const prefix = bodyPath.map((key) => `${key}.`).join('');
  const parts = (partsOfBody[body] ?? []).map((each) => ({ ...each, path: prefix + each.path }));
  const used = parts.filter(({ path }) => {
    const range = ranges.get(path);
    return range !== undefined && range[1] > range[0];
  });
  const chosen = used.length > 0 ? used : parts.filter(({ always }) => always === true);
  return chosen.map(({ name, path, unit, usual, rate }) => {
    // A stop commands 0, though nobody may have stood still while it was looked at.
    const [least, most] = limitsOf(ranges.get(path), usual);
    const [low, high] = [Math.min(0, least), Math.max(0, most)];
    return `name: ${name}, path: ${path}, unit: ${unit}, low: ${low}, high: ${high}, max_rate: ${rate} }${seen(ranges.get(path))}`;
  });
}

function limitsOf(range: readonly [number, number] | undefined, usual: number): [number, number] {
  if (range === undefined || range[0] === range[1]) return [-usual, usual];
  return [outwards(range[0]), outwards(range[1])];
}

function seen(range: readonly [number, number] | undefined): string {
  return range === undefined
    ? ' # a guess'
    : ` # ${range[0].toPrecision(3)} … ${range[1].toPrecision(3)} was seen: write the limits of the robot`;
}

function jointActions(command: SeenTopic, described: readonly JointLimits[]): string[] {
  const names = command.joints ?? [];
  const isVelocity = is(command.type, 'JointJog');
  return names.map((joint) => {
    const limit = described.find(({ name }) => name === joint);
    const range = command.ranges.get(joint);
    const place = `name: ${nameOf(joint)}, joint: ${text(joint)}`;
    if (isVelocity) {
      const largest = limit?.velocity ?? 0.5;
      return `${place}, unit: ${limit?.unit ?? 'rad'}/s, low: ${-largest}, high: ${largest}, max_rate: ${outwards(4 * largest)} }`;
    }
    const unit = limit?.unit ?? 'rad';
    const isLimited = limit !== undefined && Number.isFinite(limit.low) && Number.isFinite(limit.high);
    const [low, high] = isLimited ? [limit.low, limit.high] : limitsOf(range, 3.14);
    const rate = limit?.velocity == null ? 0.5 : Number((limit.velocity / 2).toPrecision(3));
    const source = isLimited ? ' # of the URDF, half of its velocity' : seen(range);
    return `${place}, unit: ${unit}, low: ${low}, high: ${high}, max_rate: ${rate} }${source}`;
  });
}
