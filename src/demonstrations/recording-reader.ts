import type { McapTypes } from '@mcap/core';
import { IqLearnError } from '../common/index.js';
import { checkSchema, decode, isMessageTypeName, type MessageTypeName, type MessageTypes } from '../messages/index.js';
import { resolve } from '../platform/index.js';
import { loadDecompressors } from './decompress.js';
import { withoutCopies } from './file-copies.js';
import { LogTimeOrder } from './log-time-order.js';
import { readRecords } from './mcap-input.js';
import { recordName } from './mcap-output.js';
import { recordingFiles } from './recording-files.js';
import { compressionOf, unpackZstd } from './unpack.js';

/** A message of a recording, not decoded yet. */
export interface RecordedMessage {
  readonly topic: string;
  /** 'package/msg/Name' */
  readonly type: string;
  /** CDR. */
  readonly data: Uint8Array;
  readonly logTimeNs: bigint;
  readonly publishTimeNs: bigint;
}

/** A place in the order of messages where others were and cannot be read. */
export interface LostPart {
  /** The topics that had messages there; null where that cannot be known. */
  readonly lostTopics: ReadonlySet<string> | null;
}

export interface RecordedTopic {
  readonly topic: string;
  readonly type: string;
  readonly messages: number;
  /** Why its messages cannot be decoded here: a foreign encoding, or a definition that differs. */
  readonly unreadable: IqLearnError | null;
  /** Its definition as recorded, ros2msg; null where it is stored otherwise, or not at all. */
  readonly definition: string | null;
}

/** Who made a recording; null for one made by other programs. */
export interface RecordingInfo {
  readonly robot: string;
  readonly robotSpec: string;
  readonly robotSpecSha256: string;
  readonly session: string;
  readonly software: string;
}

/** A recording to read. {@link openRecording} has collected what is known about it; messages are streamed from the disk. */
export class RecordingReader {
  readonly path: string;
  readonly files: readonly string[];
  readonly info: RecordingInfo | null;
  readonly topics: ReadonlyMap<string, RecordedTopic>;
  /** Smallest and largest log time; null if there are no messages. */
  readonly timesNs: readonly [bigint, bigint] | null;
  /** What is lost or suspicious, for people; empty for a sound recording. */
  readonly problems: readonly string[];
  /** Whether some of its messages cannot be read. */
  readonly isDamaged: boolean;

  constructor(path: string, files: readonly string[], scan: Scan, problems: readonly string[]) {
    this.path = path;
    this.files = files;
    this.info = scan.info;
    this.topics = scan.topics;
    this.timesNs = scan.timesNs;
    this.isDamaged = scan.isDamaged;
    this.problems = problems;
  }

  get messageCount(): number {
    return [...this.topics.values()].reduce((sum, { messages }) => sum + messages, 0);
  }

  /**
   * The messages of the topics (default: all) in order of log time. Where the log time of a topic goes back, they stay
   * in the order of the file, so that a jump of the clock stays visible.
   */
  async *messages(options: { readonly topics?: readonly string[] } = {}): AsyncGenerator<RecordedMessage, void, void> {
    for await (const entry of this.entries(options)) if ('topic' in entry) yield entry;
  }

  /** As {@link messages}, with a `LostPart` at each place where messages were and cannot be read. */
  async *entries(
    options: { readonly topics?: readonly string[] } = {},
  ): AsyncGenerator<RecordedMessage | LostPart, void, void> {
    const wanted = options.topics === undefined ? undefined : new Set(options.topics);
    const order = new LogTimeOrder<RecordedMessage>();
    await loadDecompressors();
    for (const file of this.files) {
      const types = new Map<number, string>();
      const channels = new Map<number, { topic: string; type: string }>();
      for await (const item of readRecords(file, () => undefined)) {
        if (item.type === 'Schema') types.set(item.id, item.name);
        else if (item.type === 'Channel')
          channels.set(item.id, { topic: item.topic, type: fullTypeName(types.get(item.schemaId) ?? '') });
        else if (item.type === 'Lost') {
          yield* order.rest();
          const ids = item.channelIds === null ? null : [...item.channelIds];
          yield { lostTopics: ids === null ? null : new Set(ids.map((id) => channels.get(id)?.topic ?? '')) };
        } else if (item.type === 'Message') {
          const channel = channels.get(item.channelId)!;
          if (wanted !== undefined && !wanted.has(channel.topic)) continue;
          yield* order.push({
            ...channel,
            data: unpackedMessage(item.data, channel.topic),
            logTimeNs: item.logTime,
            publishTimeNs: item.publishTime,
          });
        }
      }
    }
    yield* order.rest();
  }

  /**
   * The message of a recorded one. Throws UNSUPPORTED or MISMATCH where its topic cannot be read, CORRUPT_DATA where
   * its bytes are no such message.
   */
  decode<Name extends MessageTypeName>(type: Name, message: RecordedMessage): MessageTypes[Name] {
    const topic = this.topics.get(message.topic);
    if (topic?.unreadable) throw topic.unreadable;
    if (message.type !== type)
      throw new IqLearnError('MISMATCH', `${message.topic} carries another type`, {
        found: message.type,
        expected: type,
        remedy:
          'two types were recorded on this topic: record it again with one, or leave out the other (ros2 bag convert)',
      });
    return decode(type, message.data);
  }
}

/**
 * A message that rosbag2 packed by itself: metadata.yaml says so, but may be lost. No CDR begins as zstd data does, so the
 * bytes say it, too; what cannot be unpacked stays as it is, and does not decode.
 */
function unpackedMessage(data: Uint8Array, topic: string): Uint8Array {
  if (compressionOf(data) !== 'zstd') return data;
  try {
    return unpackZstd(data, topic);
  } catch {
    return data;
  }
}

interface Scan {
  info: RecordingInfo | null;
  readonly topics: Map<string, RecordedTopic>;
  timesNs: [bigint, bigint] | null;
  isDamaged: boolean;
}

/** 'nav_msgs/Odometry', as ROS 1 and old tools write it → 'nav_msgs/msg/Odometry'. */
function fullTypeName(name: string): string {
  return /^\w+\/\w+$/.test(name) ? name.replace('/', '/msg/') : name;
}

/** Types whose definition of this package is taken, by what is wrong with the recorded one. */
type Assumed = Map<string, Set<string>>;

/** One line for what is wrong with the definitions of however many types. */
function assumedText(file: string, [wrong, types]: readonly [string, ReadonlySet<string>]): string {
  const [first, ...more] = types;
  return more.length === 0
    ? `${file}: the definition of ${first} ${wrong}; that of this package is used`
    : `${file}: the definitions of ${[first, ...more].join(', ')} ${wrong.replace(/^is /, 'are ')}; those of this package are used`;
}

/** Why a channel's messages cannot be decoded here; null if they can. `assume` hears where this package's definition is taken. */
function unreadable(
  file: string,
  channel: McapTypes.Channel,
  schema: McapTypes.Schema | undefined,
  assume: (type: string, wrong: string) => void,
): IqLearnError | null {
  const type = fullTypeName(schema?.name ?? '');
  const isKnown = isMessageTypeName(type);
  if (channel.messageEncoding !== 'cdr' || (schema?.encoding !== 'ros2msg' && !isKnown))
    return new IqLearnError('UNSUPPORTED', `cannot read ${channel.topic} of ${file}`, {
      found: `message encoding '${channel.messageEncoding}', schema '${type}' in the encoding '${schema?.encoding ?? 'none'}'`,
      expected: "CDR of a type with a 'ros2msg' definition, or of one that this package knows",
      remedy: 'leave the topic out of the description of the robot, or convert the file',
    });
  if (!isKnown) return null;
  const text = new TextDecoder().decode(schema!.data);
  if (schema!.encoding !== 'ros2msg' || text.trim() === '') {
    assume(type, text.trim() === '' ? 'is missing' : `is stored as ${schema!.encoding}`);
    return null;
  }
  try {
    checkSchema(type, text);
    return null;
  } catch (error) {
    const { code, found, expected } = error as IqLearnError;
    if (code === 'MISMATCH') return defined(file, channel.topic, type, { found, expected });
    assume(type, `cannot be read (${found})`);
    return null;
  }
}

/** A topic whose bytes this package would read as other fields than were written. */
function defined(
  file: string,
  topic: string,
  type: string,
  { found, expected }: Pick<IqLearnError, 'found' | 'expected'>,
): IqLearnError {
  return new IqLearnError('MISMATCH', `${topic} of ${file} has another definition of ${type}`, {
    found: `as the first field that differs ${found}`,
    expected: `${expected}, as this package knows the type`,
    remedy: `have its driver publish ${type} of ROS 2 (a package built of another version, or a type of its own by that name) and record again, or leave ${topic} out of the description`,
  });
}

async function scanFile(file: string, scan: Scan, problems: string[]): Promise<void> {
  const schemas = new Map<number, McapTypes.Schema>();
  const counts = new Map<number, { topic: string; count: number }>();
  let counted = 0n;
  const assumed: Assumed = new Map();
  const assume = (name: string, wrong: string): void => {
    assumed.set(wrong, (assumed.get(wrong) ?? new Set()).add(name));
  };
  for await (const item of readRecords(file, (text) => problems.push(text))) {
    if (item.type === 'Header') {
      if (item.profile !== 'ros2' && item.profile !== '')
        throw new IqLearnError('UNSUPPORTED', `cannot read ${file}`, {
          found: `profile '${item.profile}'`,
          expected: "profile 'ros2'",
          remedy: 'record with ROS 2, or convert the file',
        });
    } else if (item.type === 'Metadata' && item.name === recordName) {
      const text = (key: string): string => item.metadata.get(key) ?? '';
      scan.info ??= {
        robot: text('robot'),
        robotSpec: text('robot_spec'),
        robotSpecSha256: text('robot_spec_sha256'),
        session: text('session'),
        software: text('software'),
      };
    } else if (item.type === 'Schema') schemas.set(item.id, item);
    else if (item.type === 'Channel' && !counts.has(item.id)) {
      counts.set(item.id, { topic: item.topic, count: 0 });
      const schema = schemas.get(item.schemaId);
      const type = fullTypeName(schema?.name ?? '');
      const known = scan.topics.get(item.topic);
      if (known === undefined)
        scan.topics.set(item.topic, {
          topic: item.topic,
          type,
          messages: 0,
          definition: schema?.encoding === 'ros2msg' ? new TextDecoder().decode(schema.data) : null,
          unreadable: unreadable(file, item, schema, assume),
        });
      else if (known.type !== type) problems.push(`${file}: ${item.topic} changes its type to ${type}`);
      else if (known.unreadable === null)
        scan.topics.set(item.topic, { ...known, unreadable: unreadable(file, item, schema, assume) });
    } else if (item.type === 'Message') {
      counts.get(item.channelId)!.count++;
      counted++;
      const time = item.logTime;
      if (scan.timesNs === null) scan.timesNs = [time, time];
      else if (time < scan.timesNs[0]) scan.timesNs[0] = time;
      else if (time > scan.timesNs[1]) scan.timesNs[1] = time;
    } else if (item.type === 'Lost') scan.isDamaged = true;
    else if (item.type === 'Statistics' && item.messageCount !== counted)
      problems.push(`${file}: ${counted} of its ${item.messageCount} messages can be read`);
  }
  for (const each of assumed) problems.push(assumedText(file, each));
  for (const { topic, count } of counts.values()) {
    const known = scan.topics.get(topic)!;
    scan.topics.set(topic, { ...known, messages: known.messages + count });
  }
}

/**
 * Opens a recording: a folder of ours or of `ros2 bag record` (MCAP or sqlite3), or one file of it. The whole of it is checked once
 * (CRCs, definitions); damage is listed in `problems`, and what is whole around it is given. Throws NOT_FOUND,
 * CORRUPT_DATA (no MCAP at all, or no message survives), UNSUPPORTED (ROS 1, no ROS 2 topic).
 */
export async function openRecording(pathOrFolder: string): Promise<RecordingReader> {
  const path = resolve(pathOrFolder);
  const problems: string[] = [];
  const found = await withoutCopies(recordingFiles(path, problems), problems);
  const scan: Scan = { info: null, topics: new Map(), timesNs: null, isDamaged: false };
  for (const file of found) await scanFile(file, scan, problems);
  const reader = new RecordingReader(path, found, scan, problems);
  if (reader.messageCount === 0)
    throw new IqLearnError('CORRUPT_DATA', `${path} holds no message`, {
      found: problems[0] ?? 'a recording without messages',
      expected: 'at least one recorded episode',
      remedy: 'record again, and check that the topics are published',
    });
  const topics = [...scan.topics.values()];
  const refused = topics.find(({ unreadable: why }) => why?.code === 'UNSUPPORTED');
  if (refused !== undefined && topics.every(({ unreadable: why }) => why?.code === 'UNSUPPORTED'))
    throw refused.unreadable as IqLearnError;
  return reader;
}
