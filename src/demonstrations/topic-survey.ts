import { IqLearnError } from '../common/index.js';
import { type Float64MultiArray, isMessageTypeName, type JointState, type JointTrajectory } from '../messages/index.js';
import type { SeenTopic } from '../robot/index.js';
import type { RecordingReader } from './recording-reader.js';

/** Numbers of a message deeper than this, or in lists longer than this, are not looked at: covariances, scans, pictures. */
const DEEPEST = 5;
const LONGEST = 8;

interface Seen {
  readonly type: string;
  messages: number;
  firstNs: bigint;
  lastNs: bigint;
  frameId?: string;
  childFrameId?: string;
  readonly joints: Set<string>;
  hasVelocities: boolean;
  numbers?: number;
  readonly ranges: Map<string, [number, number]>;
}

/** Collects what a first description of a robot needs to know of its topics, from a recording or a live robot. */
export class TopicSurvey {
  readonly #topics = new Map<string, Seen>();

  /** Takes a message; null where it cannot be decoded here. `timeNs` is when it came. */
  see(topic: string, type: string, message: unknown, timeNs: bigint): void {
    this.offered(topic, type);
    const seen = this.#topics.get(topic)!;
    if (seen.messages++ === 0) seen.firstNs = timeNs;
    seen.lastNs = timeNs;
    if (message !== null) look(seen, message as Readonly<Record<string, unknown>>);
  }

  /** Takes a topic that is there, though nothing may be heard of it. */
  offered(topic: string, type: string): void {
    if (this.#topics.has(topic)) return;
    const times = { firstNs: 0n, lastNs: 0n };
    this.#topics.set(topic, {
      ...{ type, messages: 0, ...times, joints: new Set(), hasVelocities: false, ranges: new Map() },
    });
  }

  get topics(): SeenTopic[] {
    return [...this.#topics].map(([topic, { joints, firstNs, lastNs, ...seen }]) => {
      const seconds = Number(lastNs - firstNs) / 1e9;
      const hz = seen.messages > 1 && seconds > 0 ? (seen.messages - 1) / seconds : null;
      return { topic, hz, ...seen, ...(joints.size === 0 ? {} : { joints: [...joints] }) };
    });
  }
}

function look(seen: Seen, message: Readonly<Record<string, unknown>>): void {
  const header = message.header as { frame_id?: string } | undefined;
  if (header?.frame_id) seen.frameId = header.frame_id;
  if (typeof message.child_frame_id === 'string' && message.child_frame_id !== '')
    seen.childFrameId = message.child_frame_id;
  if (seen.type === 'sensor_msgs/msg/JointState') {
    const { name, position, velocity } = message as unknown as JointState;
    if (velocity.length === name.length && name.length > 0) seen.hasVelocities = true;
    for (const [i, joint] of name.entries()) {
      seen.joints.add(joint);
      widen(seen, joint, position[i]);
    }
  } else if (seen.type === 'trajectory_msgs/msg/JointTrajectory') {
    const { joint_names, points } = message as unknown as JointTrajectory;
    for (const joint of joint_names) seen.joints.add(joint);
    for (const { positions } of points)
      for (const [i, joint] of joint_names.entries()) widen(seen, joint, positions[i]);
  } else if (seen.type === 'control_msgs/msg/JointJog')
    for (const joint of message.joint_names as readonly string[]) seen.joints.add(joint);
  else if (seen.type === 'std_msgs/msg/Float64MultiArray')
    seen.numbers = (message as unknown as Float64MultiArray).data.length;
  else numbersOf(message, '', 0, seen);
}

function numbersOf(value: unknown, path: string, depth: number, seen: Seen): void {
  if (typeof value === 'number') widen(seen, path, value);
  else if (depth < DEEPEST && typeof value === 'object' && value !== null) {
    if (ArrayBuffer.isView(value) || (Array.isArray(value) && value.length > LONGEST)) return;
    for (const [key, inner] of Object.entries(value))
      if (key !== 'stamp') numbersOf(inner, path === '' ? key : `${path}.${key}`, depth + 1, seen);
  }
}

function widen({ ranges }: Seen, path: string, value: number | undefined): void {
  if (value === undefined || !Number.isFinite(value)) return;
  const range = ranges.get(path);
  if (range === undefined) ranges.set(path, [value, value]);
  else {
    if (value < range[0]) range[0] = value;
    if (value > range[1]) range[1] = value;
  }
}

/** The topics of a recording. Types that this package does not know are listed without a look at their messages. */
export async function surveyRecording(reader: RecordingReader): Promise<SeenTopic[]> {
  const survey = new TopicSurvey();
  for (const [topic, { type }] of reader.topics) survey.offered(topic, type);
  for await (const recorded of reader.messages()) {
    const { topic, type, logTimeNs } = recorded;
    let message: unknown = null;
    if (isMessageTypeName(type) && reader.topics.get(topic)?.unreadable === null)
      try {
        message = reader.decode(type, recorded);
      } catch (error) {
        if (!(error instanceof IqLearnError) || error.code !== 'CORRUPT_DATA') throw error;
      }
    survey.see(topic, type, message, logTimeNs);
  }
  return survey.topics;
}
