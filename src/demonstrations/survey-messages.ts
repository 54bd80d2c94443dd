import type { Imu, LaserScan, Odometry } from '../messages/index.js';
import { createActionMapper, type RobotSpec, robotParts, type TopicSpec } from '../robot/index.js';
import type { TimedMessage } from './timeline.js';

/** A value that is nearer to another than this share of its range is the same; one farther away than that is another. */
const [SAME, APART] = [0.02, 0.1];

/** What the messages of a topic of commands have beside the action. */
export interface CommandSurvey {
  readonly topic: string;
  /** Numbers that no entry of the action has, by their paths: the largest, and in how many messages they are not 0. */
  readonly unread: readonly { readonly path: string; readonly most: number; readonly count: number }[];
  /** The number of the action that jumps to and fro most often from one message to the next, and how often. */
  readonly turns: { readonly name: string; readonly count: number };
  readonly messages: number;
}

/** What the ranges of a topic of scans are beside what the sensor can see. */
export interface ScanSurvey {
  readonly topic: string;
  /** The largest range_max, in metres. */
  readonly rangeMax: number;
  /** The share of finite ranges that are beyond range_max. */
  readonly beyond: number;
}

/** The numbers of a message by their paths, without its header. */
function leaves(value: unknown, path: string, out: [path: string, value: number][]): void {
  if (typeof value === 'number') out.push([path, value]);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value))
    for (const [key, inner] of Object.entries(value))
      if (key !== 'header') leaves(inner, path === '' ? key : `${path}.${key}`, out);
}

/** Surveys the topics of the actions, one for each command of the robot. */
export function surveyCommands(
  messages: readonly TimedMessage[],
  spec: RobotSpec,
  actions: readonly TopicSpec[],
): CommandSurvey[] {
  return robotParts(spec).map((part, k): CommandSurvey => {
    const topic = actions[k]!;
    const own = messages.filter((each) => each.topic === topic.topic);
    const byJoint = part.spec.action.some(({ quantity }) => quantity !== undefined);
    const unread = byJoint ? [] : unreadOf(own, part.spec);
    return { topic: topic.topic, unread, turns: turnsOf(own, part.spec, topic), messages: own.length };
  });
}

function unreadOf(messages: readonly TimedMessage[], { action }: RobotSpec): CommandSurvey['unread'] {
  const found = new Map<string, { most: number; count: number }>();
  // A Twist is read where the description says TwistStamped, and the other way round: the ends of the paths agree.
  const isRead = (leaf: string): boolean =>
    action.some(({ path }) => `.${path}`.endsWith(`.${leaf}`) || `.${leaf}`.endsWith(`.${path}`));
  for (const { message } of messages) {
    const numbers: [string, number][] = [];
    leaves(message, '', numbers);
    for (const [path, value] of numbers) {
      if (value === 0 || isRead(path)) continue;
      const known = found.get(path) ?? { most: 0, count: 0 };
      const most = Math.abs(value) > Math.abs(known.most) || Number.isNaN(value) ? value : known.most;
      found.set(path, { most, count: known.count + 1 });
    }
  }
  return [...found].map(([path, each]) => ({ path, ...each }));
}

function turnsOf(messages: readonly TimedMessage[], spec: RobotSpec, topic: TopicSpec): CommandSurvey['turns'] {
  const mapper = createActionMapper(spec, topic);
  const counts = new Float64Array(spec.action.length);
  const last: Float32Array[] = [];
  for (const { message } of messages) {
    let action: Float32Array;
    try {
      action = mapper.fromMessage(message);
    } catch {
      continue; // The control period that it counts for says what is wrong with it.
    }
    const [before, previous] = last;
    if (before !== undefined && previous !== undefined)
      spec.action.forEach(({ low, high }, i) => {
        const [back, away] = [Math.abs(action[i]! - before[i]!), Math.abs(action[i]! - previous[i]!)];
        if (back <= SAME * (high - low) && away > APART * (high - low)) counts[i]!++;
      });
    last.push(action);
    if (last.length > 2) last.shift();
  }
  const most = counts.indexOf(Math.max(...counts));
  return { name: spec.action[most]?.name ?? '', count: counts[most] ?? 0 };
}

/** Surveys the topics of scans that features are made of. */
export function surveyScans(messages: readonly TimedMessage[], spec: RobotSpec): ScanSurvey[] {
  const scans = spec.stateTopics.filter(({ type }) => type === 'sensor_msgs/msg/LaserScan');
  return scans.flatMap(({ topic }) => {
    const own = messages.filter((each) => each.topic === topic).map(({ message }) => message as LaserScan);
    let [all, beyond] = [0, 0];
    for (const { ranges, range_max } of own)
      for (const range of ranges) {
        if (!Number.isFinite(range)) continue;
        all++;
        if (range > range_max) beyond++;
      }
    const rangeMax = own.reduce((most, { range_max }) => Math.max(most, range_max), 0);
    return own.length === 0 ? [] : [{ topic, rangeMax, beyond: beyond / Math.max(1, all) }];
  });
}

/** How large the numbers of an inertial sensor are. */
export interface ImuSurvey {
  readonly topic: string;
  /** The middle of the lengths of the accelerations. */
  readonly acceleration: number;
  /** What one in twenty of the angular velocities exceeds. */
  readonly turning: number;
  readonly messages: number;
}

export function surveyImus(messages: readonly TimedMessage[], spec: RobotSpec): ImuSurvey[] {
  const imus = spec.stateTopics.filter(({ type }) => type === 'sensor_msgs/msg/Imu');
  return imus.flatMap(({ topic }) => {
    const own = messages.filter((each) => each.topic === topic).map(({ message }) => message as Imu);
    const at = (share: number, of: (message: Imu) => { x: number; y: number; z: number }): number => {
      const lengths = own.map((message) => Math.hypot(...(['x', 'y', 'z'] as const).map((axis) => of(message)[axis])));
      return lengths.sort((a, b) => a - b)[Math.floor(share * (lengths.length - 1))] ?? 0;
    };
    const acceleration = at(0.5, ({ linear_acceleration }) => linear_acceleration);
    const turning = at(0.95, ({ angular_velocity }) => angular_velocity);
    return own.length === 0 ? [] : [{ topic, acceleration, turning, messages: own.length }];
  });
}

/** An odometry whose pose moves although its twist is 0 in every message: metres from the first pose to the farthest. */
export interface TwistSurvey {
  readonly topic: string;
  readonly moved: number;
  readonly messages: number;
}

export function surveyTwists(messages: readonly TimedMessage[], spec: RobotSpec): TwistSurvey[] {
  const isSeen = (topic: string): boolean =>
    spec.observation.some(
      ({ source }) => source.kind === 'field' && source.topic === topic && /^twist\./.test(source.path),
    );
  return spec.stateTopics.flatMap(({ topic, type }) => {
    if (type !== 'nav_msgs/msg/Odometry' || !isSeen(topic)) return [];
    const own = messages.filter((each) => each.topic === topic).map(({ message }) => message as Odometry);
    const isZero = own.every(({ twist: { twist } }) =>
      [twist.linear, twist.angular].every(({ x, y, z }) => x === 0 && y === 0 && z === 0),
    );
    const places = own.map(({ pose: { pose } }) => pose.position);
    const moved = places.reduce((most, { x, y }) => Math.max(most, Math.hypot(x - places[0]!.x, y - places[0]!.y)), 0);
    return isZero && own.length > 0 ? [{ topic, moved, messages: own.length }] : [];
  });
}
