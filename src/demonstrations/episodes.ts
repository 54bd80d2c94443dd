import { IqLearnError, throwIfCancelled } from '../common/index.js';
import { type Header, type MessageTypeName, nanosecondsOf } from '../messages/index.js';
import { join, kindOfPath, namesIn } from '../platform/index.js';
import {
  createObservationAssembler,
  isImage,
  keptImage,
  type RobotSpec,
  type TopicSpec,
  transformTopics,
} from '../robot/index.js';
import { chooseTopics, type ReadOptions } from './choose-topics.js';
import { alignClocks } from './clocks.js';
import type { DemonstrationEpisode } from './episode.js';
import { inFileOrder } from './file-order.js';
import { findEpisodes } from './find-episodes.js';
import { checkOnce } from './given-once.js';
import { jointRanges } from './joint-ranges.js';
import { isRecordingFile } from './recording-files.js';
import { openRecording, type RecordingReader } from './recording-reader.js';
import { episodeTopic } from './recording-writer.js';
import type { DemonstrationReport, RecordingReport } from './report.js';
import { samplePart } from './sampler.js';
import { describeLoss } from './summary.js';
import { surveyChanges } from './survey-changes.js';
import { surveyFrozen } from './survey-frozen.js';
import { surveyCommands, surveyImus, surveyScans, surveyTwists } from './survey-messages.js';
import { emptySampleReport, ReasonCounts } from './tick.js';
import { type Era, type LossBefore, splitEras, type TimedMessage } from './timeline.js';

const eventType = 'iq_learn/msg/EpisodeEvent';

/** A recording, or every recording directly inside a folder of recordings. */
function recordingsIn(path: string): string[] {
  if (kindOfPath(path) !== 'folder') return [path];
  const isRecording = (folder: string): boolean =>
    namesIn(folder).some((name) => name === 'metadata.yaml' || isRecordingFile(name));
  if (isRecording(path)) return [path];
  const inside = namesIn(path)
    .map((name) => join(path, name))
    .filter((folder) => kindOfPath(folder) === 'folder' && isRecording(folder))
    .sort();
  return inside.length > 0 ? inside : [path];
}

function writtenStamp(message: unknown): bigint {
  const stamp = (message as { readonly header?: Header }).header?.stamp;
  return stamp === undefined ? 0n : nanosecondsOf(stamp);
}

/** What a recording may be refused with. */
const refusals: ReadonlySet<string> = new Set(['CORRUPT_DATA', 'MISMATCH', 'UNSUPPORTED']);

/** What was read of the robot's topics. */
interface Timed {
  readonly messages: readonly TimedMessage[];
  readonly losses: readonly LossBefore[];
  readonly undecodable: ReasonCounts;
  /** By topic: why its first message of none of the robot's joints says nothing about the robot. */
  readonly foreign: ReadonlyMap<string, string>;
}

/** The messages of the robot's topics, decoded, in the order in which they were logged. */
async function timedMessages(
  reader: RecordingReader,
  spec: RobotSpec,
  actions: readonly TopicSpec[],
  signal: AbortSignal | undefined,
): Promise<Timed> {
  const types = new Map<string, MessageTypeName>(spec.stateTopics.map(({ topic, type }) => [topic, type]));
  for (const { topic, type } of actions) types.set(topic, type);
  if (reader.topics.get(episodeTopic)?.type === eventType) types.set(episodeTopic, eventType);
  const transforms = new Set<string>();
  for (const { topic, type } of transformTopics(spec)) {
    const recorded = reader.topics.get(topic);
    if (recorded?.type !== type || recorded.unreadable !== null) continue;
    transforms.add(topic);
    types.set(topic, type);
  }
  const states = new Set(spec.stateTopics.map(({ topic }) => topic));
  const assembler = createObservationAssembler(spec);
  const messages: TimedMessage[] = [];
  const losses: LossBefore[] = [];
  const undecodable = new ReasonCounts();
  const foreign = new Map<string, string>();
  for await (const recorded of reader.entries({ topics: [...types.keys()] })) {
    throwIfCancelled(signal);
    if (!('topic' in recorded)) {
      losses.push({ at: messages.length, topics: recorded.lostTopics });
      continue;
    }
    try {
      const type = types.get(recorded.topic)!;
      const message = reader.decode(type, recorded);
      const { topic, logTimeNs } = recorded;
      // A recording of whole pictures would not fit into memory: what is observed of them is kept.
      const image = isImage(type) ? keptImage(spec, topic, message) : null;
      const data = image?.bytes ?? recorded.data;
      const kept = image ?? message;
      const written = writtenStamp(message);
      const isStamped = written !== 0n;
      const part = states.has(topic) ? assembler.partsOf(topic, kept) : [0];
      // A message that names only joints of others is another publisher's.
      if (part.length === 0) {
        if (!foreign.has(topic)) {
          assembler.accept(topic, kept, logTimeNs);
          foreign.set(topic, assembler.problemOf(topic) ?? `${topic}: no joints of the robot`);
        }
        continue;
      }
      const stampNs = isStamped ? written : logTimeNs;
      // Messages of transforms are of different frames, and never repetitions of each other.
      const name = transforms.has(topic) ? String(messages.length) : part.join();
      messages.push({ topic, message: kept, data, stampNs, logNs: logTimeNs, isStamped, part: name });
    } catch (error) {
      if (!(error instanceof IqLearnError) || error.code !== 'CORRUPT_DATA') throw error;
      undecodable.add(`${recorded.topic}: ${error.message}`);
    }
  }
  return { messages, losses, undecodable, foreign };
}

async function readRecording(
  path: string,
  described: RobotSpec,
  options: ReadOptions,
): Promise<{ episodes: DemonstrationEpisode[]; report: RecordingReport }> {
  const reader = await openRecording(path);
  const { spec, actions, other } = chooseTopics(reader, described, options);
  const read = await timedMessages(reader, spec, actions, options.signal);
  const finite = spec.stateTopics.filter(({ timeoutMs }) => Number.isFinite(timeoutMs)).map(({ topic }) => topic);
  const saidOnce = spec.stateTopics.filter(({ timeoutMs }) => !Number.isFinite(timeoutMs)).map(({ topic }) => topic);
  // Beyond damage, the places in the file count.
  const ordered = read.losses.length > 0 ? { messages: read.messages, notes: [] } : inFileOrder(read.messages);
  const { messages, notes } = alignClocks(ordered.messages, {
    periodNs: 1e9 / spec.rateHz,
    steady: new Set(finite),
    saidOnce: new Set(saidOnce),
    actions: actions.map(({ topic }) => topic),
    clock: options.clock ?? 'stamps',
    path,
  });
  const jumpNs = BigInt(Math.round(Math.max(1e9, 5e9 / spec.rateHz)));
  const eras = splitEras(messages, new Set(finite), jumpNs, read.losses);
  const hadMarkers = read.losses.length > 0 && reader.topics.get(episodeTopic)?.type === eventType;
  const { parts, discarded, clockJumps, uncertain } = findEpisodes(eras, episodeTopic, hadMarkers);
  const sampled = emptySampleReport();
  const statics = new Set(transformTopics(spec).flatMap(({ topic, isStatic }) => (isStatic ? [topic] : [])));
  const transforms = messages.filter(({ topic }) => statics.has(topic));
  const episodes: DemonstrationEpisode[] = [];
  for (const part of parts) {
    const latched = latchedBefore(eras, part.era, spec);
    const source = `${path}#${part.number}`;
    const { messages } = eras[part.era]!;
    const { foreign } = read;
    episodes.push(...samplePart({ messages, latched, transforms, foreign, part, spec, actions, source }, sampled));
  }
  return {
    episodes,
    report: {
      ...sampled,
      path,
      problems: [...reader.problems, ...[...ordered.notes, ...notes].map((note) => `${path}: ${note}`)],
      episodes: episodes.length,
      transitions: episodes.reduce((sum, { length }) => sum + length, 0),
      discarded,
      clockJumps,
      uncertain,
      undecodable: read.undecodable.list.reduce((sum, { count }) => sum + count, 0),
      undecodableReasons: read.undecodable,
      actionTopic: actions.map(({ topic }) => topic).join(', '),
      otherAction: other,
      surveyed: {
        joints: jointRanges(messages, spec),
        scans: surveyScans(messages, spec),
        imus: surveyImus(messages, spec),
        twists: surveyTwists(messages, spec),
        commands: surveyCommands(messages, spec, actions),
        changes: surveyChanges(messages, spec, reader.timesNs![0]),
        frozen: surveyFrozen(messages, spec, actions, reader.timesNs![0]),
        hasMarkers: reader.topics.get(episodeTopic)?.type === eventType,
      },
    },
  };
}

function unreadableReport(path: string, { message }: IqLearnError): RecordingReport {
  const nothing = { episodes: 0, transitions: 0, discarded: 0, clockJumps: 0, undecodable: 0, actionTopic: '' };
  return { ...emptySampleReport(), ...nothing, path, problems: [message] };
}

/**
 * The last messages of topics without a timeout before an era; none from before a clock that went back, and none of a
 * topic that lost messages in between.
 */
function latchedBefore(eras: readonly Era[], era: number, spec: RobotSpec): TimedMessage[] {
  const topics = new Set(spec.stateTopics.filter((t) => t.timeoutMs === Number.POSITIVE_INFINITY).map((t) => t.topic));
  const found = new Map<string, TimedMessage>();
  for (let i = era; i > 0; i--) {
    const { cause, lostTopics } = eras[i]!;
    if (cause === 'backward') break;
    if (cause === 'damage')
      for (const topic of topics) if (lostTopics == null || lostTopics.has(topic)) topics.delete(topic);
    for (const message of eras[i - 1]!.messages.toReversed())
      if (topics.has(message.topic) && !found.has(message.topic)) found.set(message.topic, message);
  }
  return [...found.values()];
}

function nothingLeft(
  paths: readonly string[],
  { robot, stateTopics }: RobotSpec,
  recordings: readonly RecordingReport[],
): IqLearnError {
  const reasons = recordings.flatMap(describeLoss);
  return new IqLearnError('CORRUPT_DATA', 'no demonstration can be learnt from', {
    found: reasons.slice(0, 6).join('; ') || `no episode in ${paths.join(', ') || 'no path'}`,
    expected: `at least one episode of ${robot} with ${stateTopics.map(({ topic }) => topic).join(', ')}`,
    remedy:
      reasons.length > 0
        ? 'adapt the description of the robot to what was found, or have its drivers give what is expected and record again'
        : `record demonstrations: iq-learn record --robot ${robot}`,
  });
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
  checkOnce(paths);
  for (const given of paths)
    for (const path of recordingsIn(given)) {
      try {
        const read = await readRecording(path, spec, options);
        episodes.push(...read.episodes);
        recordings.push(read.report);
      } catch (error) {
        // A recording that cannot be used must not hide the others in its folder: it is said, and they are read.
        if (path === given || !(error instanceof IqLearnError) || !refusals.has(error.code)) throw error;
        recordings.push(unreadableReport(path, error));
      }
    }
  if (episodes.length === 0) throw nothingLeft(paths, spec, recordings);
  const transitions = recordings.reduce((sum, report) => sum + report.transitions, 0);
  return { episodes, report: { recordings, episodes: episodes.length, transitions } };
}
