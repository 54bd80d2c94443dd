import { IqLearnError } from '../common/index.js';
import { type Header, type MessageTypeName, nanosecondsOf } from '../messages/index.js';
import { join, kindOfPath, namesIn } from '../platform/index.js';
import { isImage, type RobotSpec, type TopicSpec } from '../robot/index.js';
import type { DemonstrationEpisode } from './episode.js';
import { openRecording, type RecordingReader } from './recording-reader.js';
import { episodeTopic } from './recording-writer.js';
import { samplePart } from './sampler.js';
import { emptySampleReport, type SampleReport } from './tick.js';
import { findEpisodes, splitEras, type TimedMessage } from './timeline.js';

const eventType = 'iq_learn/msg/EpisodeEvent';

export interface ReadOptions {
  /** The topic of the actions: what the person sent (`teleop`) or what the robot was commanded. Default: teleop if it was recorded. */
  readonly action?: 'teleop' | 'command';
}

/** What was read from a recording, and what was left out. */
export interface RecordingReport extends SampleReport {
  readonly path: string;
  /** What could not be read, for people: damage, missing files. */
  readonly problems: readonly string[];
  readonly episodes: number;
  readonly transitions: number;
  /** Episodes that the operator discarded. */
  readonly discarded: number;
  readonly clockJumps: number;
  /** Messages whose bytes do not decode as their type. */
  readonly undecodable: number;
  readonly actionTopic: string;
}

export interface DemonstrationReport {
  readonly recordings: readonly RecordingReport[];
  readonly episodes: number;
  readonly transitions: number;
}

/** A recording, or every recording directly inside a folder of recordings. */
function recordingsIn(path: string): string[] {
  if (kindOfPath(path) !== 'folder') return [path];
  const isRecording = (folder: string): boolean =>
    namesIn(folder).some((name) => name === 'metadata.yaml' || /\.mcap(\.part)?$/.test(name));
  if (isRecording(path)) return [path];
  const inside = namesIn(path)
    .map((name) => join(path, name))
    .filter((folder) => kindOfPath(folder) === 'folder' && isRecording(folder))
    .sort();
  return inside.length > 0 ? inside : [path];
}

/** The topic of the actions. Refuses another robot's recording, and one without the topics that observation and action need. */
function actionTopicOf(reader: RecordingReader, spec: RobotSpec, wanted: ReadOptions['action']): TopicSpec {
  if (reader.info !== null && reader.info.robot !== spec.robot)
    throw new IqLearnError('MISMATCH', `${reader.path} is another robot's recording`, {
      found: `robot '${reader.info.robot}'`,
      expected: `robot '${spec.robot}'`,
      remedy: `use recordings of ${spec.robot}, or choose the robot ${reader.info.robot}`,
    });
  const { teleop, command } = spec;
  const action = wanted === 'command' || (wanted === undefined && !reader.topics.has(teleop.topic)) ? command : teleop;
  const needed = [...spec.stateTopics, reader.topics.has(action.topic) || wanted !== undefined ? action : teleop];
  const missing = needed
    .filter(({ topic }) => !reader.topics.has(topic))
    .map(({ topic, type }) => `${topic} (${type})`);
  if (missing.length > 0)
    throw new IqLearnError('MISMATCH', `${reader.path} lacks topics of ${spec.robot}`, {
      found: `topics ${[...reader.topics.keys()].sort().join(', ')}`,
      expected: `also ${missing.join(', ')}`,
      remedy: 'record these topics too, or adapt the topics in the description of the robot',
    });
  for (const { topic, type } of needed) {
    const recorded = reader.topics.get(topic)!;
    if (recorded.unreadable !== null) throw recorded.unreadable;
    if (recorded.type !== type)
      throw new IqLearnError('MISMATCH', `${topic} of ${reader.path} carries another type`, {
        found: recorded.type,
        expected: type,
        remedy: 'adapt the type in the description of the robot, or record the topic it names',
      });
  }
  return action;
}

function stampOf(message: unknown, logTimeNs: bigint): bigint {
  const stamp = (message as { readonly header?: Header }).header?.stamp;
  const stampNs = stamp === undefined ? 0n : nanosecondsOf(stamp);
  return stampNs === 0n ? logTimeNs : stampNs;
}

const noBytes = new Uint8Array(0);

async function readRecording(
  path: string,
  spec: RobotSpec,
  options: ReadOptions,
): Promise<{ episodes: DemonstrationEpisode[]; report: RecordingReport }> {
  const reader = await openRecording(path);
  const action = actionTopicOf(reader, spec, options.action);
  const types = new Map<string, MessageTypeName>(spec.stateTopics.map(({ topic, type }) => [topic, type]));
  types.set(action.topic, action.type);
  if (reader.topics.get(episodeTopic)?.type === eventType) types.set(episodeTopic, eventType);

  const messages: TimedMessage[] = [];
  let undecodable = 0;
  for await (const recorded of reader.messages({ topics: [...types.keys()] })) {
    try {
      const type = types.get(recorded.topic)!;
      const message = reader.decode(type, recorded);
      const { topic, logTimeNs } = recorded;
      // Only the arrival of pictures matters here; a recording of them would not fit into memory.
      const data = isImage(type) ? noBytes : recorded.data;
      const kept = isImage(type) ? { header: (message as { header: Header }).header } : message;
      messages.push({ topic, message: kept, data, stampNs: stampOf(message, logTimeNs) });
    } catch (error) {
      if (!(error instanceof IqLearnError) || error.code !== 'CORRUPT_DATA') throw error;
      undecodable++;
    }
  }
  const jumpNs = BigInt(Math.round(Math.max(1e9, 5e9 / spec.rateHz)));
  const finite = spec.stateTopics.filter(({ timeoutMs }) => Number.isFinite(timeoutMs)).map(({ topic }) => topic);
  const eras = splitEras(messages, new Set(finite), jumpNs);
  const { parts, discarded, clockJumps } = findEpisodes(eras, episodeTopic);
  const sampled = emptySampleReport();
  const episodes: DemonstrationEpisode[] = [];
  for (const part of parts) {
    const latched = latchedBefore(eras, part.era, spec);
    const source = `${path}#${part.number}`;
    const { messages } = eras[part.era]!;
    episodes.push(...samplePart({ messages, latched, part, spec, action, source }, sampled));
  }
  return {
    episodes,
    report: {
      ...sampled,
      path,
      problems: reader.problems,
      episodes: episodes.length,
      transitions: episodes.reduce((sum, { length }) => sum + length, 0),
      discarded,
      clockJumps,
      undecodable,
      actionTopic: action.topic,
    },
  };
}

function unreadableReport(path: string, { message }: IqLearnError): RecordingReport {
  const nothing = { episodes: 0, transitions: 0, discarded: 0, clockJumps: 0, undecodable: 0, actionTopic: '' };
  return { ...emptySampleReport(), ...nothing, path, problems: [message] };
}

/** The last messages of topics without a timeout before an era; none from before a clock that went back. */
function latchedBefore(
  eras: readonly { readonly messages: readonly TimedMessage[]; readonly cause: string }[],
  era: number,
  spec: RobotSpec,
): TimedMessage[] {
  const topics = new Set(spec.stateTopics.filter((t) => t.timeoutMs === Number.POSITIVE_INFINITY).map((t) => t.topic));
  const found = new Map<string, TimedMessage>();
  for (let i = era; i > 0 && eras[i]!.cause === 'forward'; i--)
    for (const message of eras[i - 1]!.messages.toReversed())
      if (topics.has(message.topic) && !found.has(message.topic)) found.set(message.topic, message);
  return [...found.values()];
}

/** One line per reason why something was left out, for people; empty if nothing was. */
export function describeLoss(report: RecordingReport): string[] {
  const lines = [...report.problems];
  const add = (count: number, text: string): void => {
    if (count > 0) lines.push(`${report.path}: ${count} ${text}`);
  };
  add(report.discarded, 'episodes were thrown away by the operator');
  add(report.clockJumps, 'jumps of the clock (or silences as long) inside episodes; no transition reaches across them');
  add(report.splits, 'gaps inside episodes; no transition reaches across them');
  for (const [reason, count] of Object.entries(report.ticks)) add(count, `control periods left out: ${reason}`);
  add(report.undecodable, 'messages that cannot be decoded');
  add(report.contradictions, 'messages that contradict another with the same stamp');
  add(report.duplicates, 'messages recorded twice');
  return lines;
}

/**
 * Reads demonstrations: recordings (folders of ours or of ros2 bag, .mcap files, folders of these) become episodes of
 * observations and actions at the robot's control rate. What is damaged, missing, not finite or late is left out and
 * counted in the report; gaps are never bridged.
 *
 * Throws MISMATCH for another robot's recording or one without the robot's topics, NOT_FOUND, CORRUPT_DATA and
 * UNSUPPORTED as {@link openRecording}, and CORRUPT_DATA when not one transition is left.
 */
export async function readDemonstrations(
  paths: readonly string[],
  spec: RobotSpec,
  options: ReadOptions = {},
): Promise<{ episodes: DemonstrationEpisode[]; report: DemonstrationReport }> {
  const episodes: DemonstrationEpisode[] = [];
  const recordings: RecordingReport[] = [];
  for (const given of paths)
    for (const path of recordingsIn(given)) {
      try {
        const read = await readRecording(path, spec, options);
        episodes.push(...read.episodes);
        recordings.push(read.report);
      } catch (error) {
        // A recording that was cut before its first message must not hide the others in its folder.
        if (path === given || !(error instanceof IqLearnError) || error.code !== 'CORRUPT_DATA') throw error;
        recordings.push(unreadableReport(path, error));
      }
    }
  if (episodes.length === 0)
    throw new IqLearnError('CORRUPT_DATA', 'no demonstration can be learnt from', {
      found:
        recordings.flatMap(describeLoss).slice(0, 6).join('; ') || `no episode in ${paths.join(', ') || 'no path'}`,
      expected: `at least one episode of ${spec.robot} with ${spec.stateTopics.map(({ topic }) => topic).join(', ')}`,
      remedy: `record demonstrations: iq-learn record --robot ${spec.robot}`,
    });
  const transitions = recordings.reduce((sum, report) => sum + report.transitions, 0);
  return { episodes, report: { recordings, episodes: episodes.length, transitions } };
}
