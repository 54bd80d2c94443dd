import type { LaserScan } from '../messages/index.js';
import {
  createActionMapper,
  isImage,
  type keptImage,
  type RobotSpec,
  robotParts,
  type TopicSpec,
} from '../robot/index.js';
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

/** Pictures of a topic that change their size. */
export interface SizeSurvey {
  readonly topic: string;
  /** The first change: both sizes as width × height, and seconds from the first message of the recording. */
  readonly before: string;
  readonly after: string;
  readonly atSeconds: number;
  readonly changes: number;
}

/** Surveys the topics of images for sizes that change: each is made small from whatever it is, and another part may be seen. */
export function surveySizes(messages: readonly TimedMessage[], spec: RobotSpec, startNs: bigint): SizeSurvey[] {
  return spec.stateTopics.flatMap(({ topic, type }): SizeSurvey[] => {
    if (!isImage(type)) return [];
    let last: string | undefined;
    let found: SizeSurvey | undefined;
    for (const { topic: own, message, logNs } of messages) {
      const size = own === topic ? (message as ReturnType<typeof keptImage>).size : null;
      if (size === null) continue;
      const now = `${size.width} × ${size.height}`;
      if (last !== undefined && now !== last) {
        const first = found ?? {
          topic,
          before: last,
          after: now,
          atSeconds: Number(logNs - startNs) / 1e9,
          changes: 0,
        };
        found = { ...first, changes: first.changes + 1 };
      }
      last = now;
    }
    return found === undefined ? [] : [found];
  });
}
