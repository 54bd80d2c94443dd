import type { JointState, LaserScan, Odometry } from '../messages/index.js';
import { isImage, type RobotSpec, type TopicSpec } from '../robot/index.js';
import { CommandedMotion } from './commanded-motion.js';
import type { TimedMessage } from './timeline.js';

/** A sensor is said to be frozen from so long a stretch on, and so many messages. */
const SHORTEST_NS = 3_000_000_000n;
const FEWEST = 20;
/** And if nine of ten of its other stretches of one value were shorter than this share of it. */
const USUAL = 0.1;
/** And if the commands move the robot for this share of it. */
const MOVED = 0.5;
/** So many changes before say that a number changes while the robot is commanded; so many, that it does at rest. */
const [CHANGES, CHANGES_AT_REST] = [20, 10];
/** A scan that sees something in fewer of its beams than this stands in the open, where nothing changes. */
const SEEING = 0.1;

/** A stretch in which a topic went on, and a number of it did not change, though the commands moved the robot. */
export interface FrozenStretch {
  readonly topic: string;
  readonly field: string;
  /** Seconds from the first message of the recording, as iq-learn trim counts. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly messages: number;
  /** How many times it changed before. */
  readonly changes: number;
}

/** Numbers of a topic that a sensor gives together. */
interface Reading {
  readonly topic: string;
  readonly field: string;
  /** The numbers; undefined for a message of others, null for one that may well repeat itself. */
  readonly of: (item: TimedMessage) => ArrayLike<number> | null | undefined;
  /** The numbers of the action that move it; empty where it changes by its noise alone, as far as is known. */
  readonly movedBy: readonly number[];
  /** At the end of its way it stands still whatever is commanded. */
  readonly hasEnds: boolean;
}

/** Messages in a row with the same numbers. */
interface Stretch {
  readonly values: ArrayLike<number>;
  readonly first: TimedMessage;
  last: TimedMessage;
  messages: number;
}

/** The readings of the state topics that can be told from one that stands still by right. */
function readingsOf(spec: RobotSpec): Reading[] {
  const byJoint = spec.action.some(({ quantity }) => quantity !== undefined);
  const movedBy = spec.action.flatMap(({ quantity }, i) => (quantity === undefined ? [i] : []));
  return spec.stateTopics.flatMap(({ topic, type }): Reading[] => {
    if (type === 'sensor_msgs/msg/JointState') return jointReadings(spec, topic, byJoint);
    if (type === 'nav_msgs/msg/Odometry')
      return [{ topic, field: 'pose', movedBy, hasEnds: false, of: ({ message }) => poseOf(message as Odometry) }];
    if (type === 'sensor_msgs/msg/LaserScan')
      return [{ topic, field: 'ranges', movedBy, hasEnds: false, of: ({ message }) => seen(message as LaserScan) }];
    if (isImage(type)) return [{ topic, field: 'the picture', movedBy, hasEnds: false, of: ({ data }) => data }];
    // What else a topic says changes with what it measures, which may stand still: a goal, a button, an object.
    return [
      { topic, field: 'every number', movedBy: [], hasEnds: false, of: ({ message }) => numbersOf(message, [], '') },
    ];
  });
}

/** A joint that is commanded by its name is moved by that command alone; the wheels of a vehicle are moved together. */
function jointReadings(spec: RobotSpec, topic: string, byJoint: boolean): Reading[] {
  const joints = new Set(
    spec.observation.flatMap(({ source }) => (source.kind === 'joint' && source.topic === topic ? [source.joint] : [])),
  );
  const of =
    (wanted: readonly string[]) =>
    ({ message }: TimedMessage) => {
      const { name, position } = message as JointState;
      const values = wanted.map((joint) => position[name.indexOf(joint)]);
      return values.includes(undefined) ? undefined : (values as number[]);
    };
  const all = [...joints];
  if (all.length === 0) return [];
  if (!byJoint) {
    const movedBy = spec.action.map((_, i) => i);
    return [{ topic, field: `position of ${all.join(', ')}`, of: of(all), movedBy, hasEnds: false }];
  }
  return all.flatMap((joint): Reading[] => {
    const movedBy = spec.action.flatMap(({ path }, i) => (path === joint ? [i] : []));
    return movedBy.length === 0
      ? []
      : [{ topic, field: `position of ${joint}`, of: of([joint]), movedBy, hasEnds: true }];
  });
}

function poseOf({ pose: { pose } }: Odometry): number[] {
  const { position: p, orientation: q } = pose;
  return [p.x, p.y, p.z, q.x, q.y, q.z, q.w];
}

function seen({ ranges, range_min, range_max }: LaserScan): ArrayLike<number> | null {
  let count = 0;
  for (const range of ranges) if (range > Math.max(0, range_min) && range < range_max) count++;
  return count >= SEEING * ranges.length && count > 0 ? ranges : null;
}

function numbersOf(value: unknown, out: number[], key: string): number[] {
  if (typeof value === 'number') out.push(value);
  else if (typeof value === 'boolean') out.push(Number(value));
  else if (key !== 'header' && typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) numbersOf(inner, out, name);
  return out;
}

/** Surveys the state topics for numbers that stand still while the topic goes on and the commands move the robot. */
export function surveyFrozen(
  messages: readonly TimedMessage[],
  spec: RobotSpec,
  actions: readonly TopicSpec[],
  startNs: bigint,
): FrozenStretch[] {
  const motion = new CommandedMotion(messages, spec, actions);
  return readingsOf(spec).flatMap((reading) => frozenOf(stretchesOf(messages, reading), reading, motion, startNs));
}

function stretchesOf(messages: readonly TimedMessage[], { topic, of }: Reading): Stretch[] {
  const stretches: Stretch[] = [];
  let isBroken = true;
  for (const item of messages) {
    if (item.topic !== topic) continue;
    const values = of(item);
    if (values === undefined) continue;
    const current = isBroken ? undefined : stretches.at(-1);
    isBroken = values === null;
    if (values === null || item.stampNs === current?.last.stampNs) continue;
    if (current !== undefined && item.stampNs > current.last.stampNs && isSame(values, current.values)) {
      current.last = item;
      current.messages++;
    } else stretches.push({ values, first: item, last: item, messages: 1 });
  }
  return stretches;
}

function isSame(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

const lasted = ({ first, last }: Stretch): bigint => last.stampNs - first.stampNs;

function frozenOf(
  stretches: readonly Stretch[],
  { topic, field, movedBy, hasEnds }: Reading,
  commanded: CommandedMotion,
  startNs: bigint,
): FrozenStretch[] {
  const long = stretches.filter((each) => lasted(each) >= SHORTEST_NS && each.messages >= FEWEST);
  if (long.length === 0) return [];
  const motion = commanded.by(movedBy);
  const ends: readonly number[] = hasEnds ? endsOf(stretches) : [];
  const seconds = (timeNs: bigint): number => Number(timeNs - startNs) / 1e9;
  return long.flatMap((stretch): FrozenStretch[] => {
    const { first, last, messages, values } = stretch;
    if (ends.includes(values[0]!) || motion.share(first.stampNs, last.stampNs) < MOVED) return [];
    // A number that nothing moves is only known to change where it does so by its noise.
    const isStrange =
      (movedBy.length > 0 && isUnusual(stretch, stretches, CHANGES, (at) => motion.isMoving(at))) ||
      isUnusual(stretch, stretches, CHANGES_AT_REST, (at) => !motion.isMoving(at));
    if (!isStrange) return [];
    const times = { fromSeconds: seconds(first.logNs), toSeconds: seconds(last.logNs) };
    return [{ topic, field, ...times, messages, changes: stretches.indexOf(stretch) }];
  });
}

/** Whether the others that began at such times were far shorter, and enough of them came before. */
function isUnusual(
  stretch: Stretch,
  stretches: readonly Stretch[],
  fewest: number,
  isAt: (stampNs: bigint) => boolean,
): boolean {
  const others = stretches.filter((each) => each !== stretch && isAt(each.first.stampNs));
  const before = others.filter((each) => each.first.stampNs < stretch.first.stampNs).length;
  const lengths = others.map((each) => Number(lasted(each))).sort((a, b) => a - b);
  return before >= fewest && lengths[Math.floor(0.9 * lengths.length)]! <= USUAL * Number(lasted(stretch));
}

/** The least and the largest of the values. */
function endsOf(stretches: readonly Stretch[]): [number, number] {
  const values = stretches.map((each) => each.values[0]!);
  return [
    values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
}
