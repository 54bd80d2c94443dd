import type { Imu, LaserScan, Odometry } from '../messages/index.js';
import { isImage, type keptImage, type RobotSpec, type TopicSpec } from '../robot/index.js';
import type { TimedMessage } from './timeline.js';

/** A scan that begins or ends farther away than this, in radians, looks elsewhere. */
const LOOKS_ELSEWHERE = 0.1;
/** Two orientations whose product is below this are the same rotation, or nearly, with another sign. */
const OPPOSITE = -0.9;

/** Something that a topic keeps throughout a sound recording, and that changes in this one. */
export interface ChangeSurvey {
  readonly topic: string;
  readonly what: 'size of the pictures' | 'child_frame_id' | 'frame_id' | 'field of view' | 'sign of the orientation';
  /** The first change: both values in words, and seconds from the first message of the recording. */
  readonly before: string;
  readonly after: string;
  readonly atSeconds: number;
  readonly changes: number;
}

/** What is kept of a message, in words; null where it does not say. */
interface Kept {
  readonly what: ChangeSurvey['what'];
  readonly of: (message: unknown) => string | null;
  /** Whether two are the same though their words differ. */
  readonly isSame?: (before: unknown, now: unknown) => boolean;
}

const degrees = (radians: number): number => Math.round((radians * 180) / Math.PI);

const fieldOfView: Kept = {
  what: 'field of view',
  of: (message) => {
    const { angle_min, angle_max } = message as LaserScan;
    return `${degrees(angle_min)}…${degrees(angle_max)}°`;
  },
  // Of a sensor that turns, scans vary by a few beams.
  isSame: (before, now) =>
    (['angle_min', 'angle_max'] as const).every(
      (angle) => Math.abs((before as LaserScan)[angle] - (now as LaserScan)[angle]) <= LOOKS_ELSEWHERE,
    ),
};

const size: Kept = {
  what: 'size of the pictures',
  of: (message) => {
    const known = (message as ReturnType<typeof keptImage>).size;
    return known === null ? null : `${known.width} × ${known.height}`;
  },
};

const frame: Kept = { what: 'frame_id', of: (message) => (message as Odometry).header.frame_id || null };
const childFrame: Kept = { what: 'child_frame_id', of: (message) => (message as Odometry).child_frame_id || null };

function keptOf({ type, frameId }: TopicSpec): Kept[] {
  if (isImage(type)) return [size];
  // Where the description names the frame, a message in another is transformed or refused.
  const frames = frameId === undefined ? [frame] : [];
  if (type === 'nav_msgs/msg/Odometry') return [childFrame, ...frames];
  if (type === 'sensor_msgs/msg/LaserScan') return [fieldOfView, ...frames];
  return type === 'geometry_msgs/msg/PoseStamped' || type === 'sensor_msgs/msg/Imu' ? frames : [];
}

/** Surveys the state topics for what changes in the middle, though the numbers mean another thing after it. */
export function surveyChanges(messages: readonly TimedMessage[], spec: RobotSpec, startNs: bigint): ChangeSurvey[] {
  return spec.stateTopics.flatMap((topic) => {
    const own = messages.filter((each) => each.topic === topic.topic);
    const changes = keptOf(topic).flatMap((kept) => changeOf(own, kept, startNs));
    return [...changes, ...signOf(own, topic, spec, startNs)];
  });
}

function changeOf(own: readonly TimedMessage[], { what, of, isSame }: Kept, startNs: bigint): ChangeSurvey[] {
  let last: { readonly message: unknown; readonly said: string } | undefined;
  let found: ChangeSurvey | undefined;
  for (const { topic, message, logNs } of own) {
    const said = of(message);
    if (said === null || said === last?.said) continue;
    if (last !== undefined && isSame?.(last.message, message) === true) continue;
    if (last !== undefined) {
      const first = { topic, what, before: last.said, after: said, atSeconds: Number(logNs - startNs) / 1e9 };
      found = { ...(found ?? first), changes: (found?.changes ?? 0) + 1 };
    }
    last = { message, said };
  }
  return found === undefined ? [] : [found];
}

/** A rotation has two quaternions, one with the opposite sign; features that are numbers of it jump where the driver changes over. */
function signOf(own: readonly TimedMessage[], { topic }: TopicSpec, spec: RobotSpec, startNs: bigint): ChangeSurvey[] {
  const path = spec.observation
    .map(({ source }) => (source.kind === 'field' && source.topic === topic ? source.path : ''))
    .map((each) => /^(.*orientation)\.[xyzw]$/.exec(each)?.[1])
    .find((each) => each !== undefined);
  if (path === undefined) return [];
  let last: readonly number[] | undefined;
  let found: ChangeSurvey | undefined;
  for (const { message, logNs } of own) {
    const orientation = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], message);
    const { x, y, z, w } = orientation as Imu['orientation'];
    const now = [x, y, z, w];
    const words = (q: readonly number[]): string => `(${q.map((part) => Number(part.toPrecision(3))).join(', ')})`;
    if (last !== undefined && now.reduce((sum, part, i) => sum + part * last![i]!, 0) < OPPOSITE) {
      const atSeconds = Number(logNs - startNs) / 1e9;
      const first = {
        topic,
        what: 'sign of the orientation',
        before: words(last),
        after: words(now),
        atSeconds,
      } as const;
      found = { ...(found ?? first), changes: (found?.changes ?? 0) + 1 };
    }
    last = now;
  }
  return found === undefined ? [] : [found];
}
