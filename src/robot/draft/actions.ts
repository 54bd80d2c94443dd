import { messageKind } from '../kinds/registry.js';
import type { DraftCommand } from './commands.js';
import { is, type JointLimits, nameOf, outwards, type SeenTopic, text } from './topics.js';

/** The actions of a command, without what says whose they are; `limits` are of a URDF. */
export function actionsOf({ topic, guessedJoints }: DraftCommand, limits: readonly JointLimits[]): string[] {
  if (messageKind(topic.type)?.command?.addresses === 'paths') return twistActions(topic);
  const lines = jointActions(topic, limits);
  return guessedJoints ? lines.map((line) => `${line}${line.includes('#') ? ';' : ' #'} the joint is a guess`) : lines;
}

/** The velocities that were used; forward and turning where none was seen. */
function twistActions({ type, ranges }: SeenTopic): string[] {
  const body = is(type, 'TwistStamped') ? 'twist.' : '';
  const parts = [
    ['linear_velocity', 'linear.x', 'm/s', 0.2, 1],
    ['sideways_velocity', 'linear.y', 'm/s', 0.2, 1],
    ['upward_velocity', 'linear.z', 'm/s', 0.2, 1],
    ['roll_rate', 'angular.x', 'rad/s', 0.5, 4],
    ['pitch_rate', 'angular.y', 'rad/s', 0.5, 4],
    ['angular_velocity', 'angular.z', 'rad/s', 0.5, 4],
  ] as const;
  const used = parts.filter(([, path]) => {
    const range = ranges.get(body + path);
    return range !== undefined && range[1] > range[0];
  });
  const chosen = used.length > 0 ? used : parts.filter(([, path]) => path === 'linear.x' || path === 'angular.z');
  return chosen.map(([name, path, unit, usual, rate]) => {
    // A stop commands 0, though nobody may have stood still while it was looked at.
    const [least, most] = limitsOf(ranges.get(body + path), usual);
    const [low, high] = [Math.min(0, least), Math.max(0, most)];
    return `name: ${name}, path: ${body}${path}, unit: ${unit}, low: ${low}, high: ${high}, max_rate: ${rate} }${seen(ranges.get(body + path))}`;
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
