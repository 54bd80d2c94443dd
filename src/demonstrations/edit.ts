import { IqLearnError, throwIfCancelled } from '../common/index.js';
import { isMessageTypeName, schemaOf } from '../messages/index.js';
import {
  basename,
  createOutput,
  join,
  kindOfPath,
  makeFolder,
  namesIn,
  type OutputFile,
  ownVersion,
  removeEmptyFolders,
  removeFile,
  renameDurable,
  resolve,
  writeFileAtomic,
} from '../platform/index.js';
import { checkOnce } from './given-once.js';
import { episodeMarkers } from './markers.js';
import { McapOutput } from './mcap-output.js';
import { openRecording, type RecordedMessage, type RecordingReader } from './recording-reader.js';
import { rosbagMetadata } from './rosbag-metadata.js';

/** A stretch of a recording, in seconds from its first message. */
export interface Stretch {
  readonly fromSeconds?: number;
  readonly toSeconds?: number;
}

export interface EditSummary {
  readonly folder: string;
  readonly messages: number;
  /** Topics that could not be taken over, with the reason. */
  readonly left: readonly string[];
  /** What is suspicious about the sources, for people. */
  readonly notes: readonly string[];
}

/**
 * Writes the messages of recordings, in order of their log times, as one MCAP recording into a new folder: MCAP of sqlite3,
 * one of several, a part of a long one. The sources are only read. Throws CONFLICT where the folder is there already,
 * MISMATCH for recordings of different robots, INVALID_ARGUMENT for a stretch without messages or one that cuts an
 * episode in two, CANCELLED by the signal (then nothing is left behind), and what opening a recording throws.
 */
export async function writeRecording(
  sources: readonly string[],
  target: string,
  stretch: Stretch = {},
  signal?: AbortSignal,
): Promise<EditSummary> {
  const folder = resolve(target);
  if (kindOfPath(folder) === 'file' || (kindOfPath(folder) === 'folder' && namesIn(folder).length > 0))
    throw new IqLearnError('CONFLICT', `cannot write to ${target}`, {
      found: 'something is there already',
      expected: 'a new folder: recordings are never changed in place',
      remedy: 'give another name',
    });
  checkOnce(sources);
  const readers: RecordingReader[] = [];
  for (const source of sources) readers.push(whole(await openRecording(source)));
  const [fromNs, toNs] = boundsOf(readers, stretch);
  const record = recordOf(readers);
  for (const reader of readers) await checkEpisodes(reader, fromNs, toNs);
  const name = `${basename(folder)}_0.mcap`;
  const part = join(folder, `${name}.part`);
  let file: OutputFile | undefined;
  let output: McapOutput | undefined;
  let made: string | undefined;
  const left = new Set<string>();
  let messages = 0;
  try {
    for await (const { reader, message } of merged(readers)) {
      throwIfCancelled(signal);
      if (message.logTimeNs < fromNs || message.logTimeNs >= toNs) continue;
      const definition = definitionOf(reader, message);
      if (definition === null) {
        left.add(`${message.topic}: ${reader.topics.get(message.topic)?.unreadable?.found ?? 'no definition'}`);
        continue;
      }
      if (output === undefined) {
        made = makeFolder(folder);
        file = await createOutput(part);
        output = await McapOutput.start(file, `iq_learn ${ownVersion()}`, record);
      }
      await output.add({ ...message, schema: definition }, false);
      messages++;
    }
    if (output === undefined) throw nothingIn(stretch);
    const summary = await output.end(name);
    renameDurable(part, join(folder, name));
    writeFileAtomic(join(folder, 'metadata.yaml'), rosbagMetadata(summary));
  } catch (error) {
    await file?.close().catch(() => undefined); // It may be closed already.
    if (file !== undefined) removeFile(part);
    if (made !== undefined) removeEmptyFolders(folder, made);
    throw error;
  }
  return { folder, messages, left: [...left], notes: readers.flatMap(({ problems }) => problems) };
}

/** A copy would not show where something is missing, and what reads it would go on across the place. Throws CORRUPT_DATA. */
function whole(reader: RecordingReader): RecordingReader {
  if (!reader.isDamaged) return reader;
  throw new IqLearnError('CORRUPT_DATA', `${reader.path} cannot be copied`, {
    found: reader.problems.join('; '),
    expected: 'a recording that can be read as a whole',
    remedy: 'use it as it is: training and inspect read what is whole in it, and leave out the rest',
  });
}

function nothingIn({ fromSeconds = 0, toSeconds }: Stretch, within?: bigint): IqLearnError {
  if (toSeconds !== undefined && toSeconds <= fromSeconds)
    return new IqLearnError('INVALID_ARGUMENT', 'the stretch ends before it begins', {
      found: `${fromSeconds} s to ${toSeconds} s`,
      expected: 'an end after its beginning',
      remedy: 'both are seconds from the first message',
    });
  return new IqLearnError('INVALID_ARGUMENT', 'the stretch holds no message', {
    found: `${fromSeconds} s to ${toSeconds === undefined ? 'the end' : `${toSeconds} s`}`,
    expected:
      within === undefined ? 'a stretch with messages' : `a stretch within ${(Number(within) / 1e9).toFixed(3)} s`,
  });
}

/** The log times that the stretch begins and ends with, the end left out. */
function boundsOf(readers: readonly RecordingReader[], stretch: Stretch): [bigint, bigint] {
  const { fromSeconds = 0, toSeconds } = stretch;
  const times = readers.map(({ timesNs }) => timesNs!);
  const first = times.reduce((least, [from]) => (from < least ? from : least), times[0]![0]);
  const last = times.reduce((most, [, to]) => (to > most ? to : most), times[0]![1]);
  const at = (seconds: number): bigint => first + BigInt(Math.round(seconds * 1e9));
  const bounds: [bigint, bigint] = [at(fromSeconds), toSeconds === undefined ? last + 1n : at(toSeconds)];
  if (bounds[0] > last || bounds[1] <= bounds[0]) throw nothingIn(stretch, last - first);
  return bounds;
}

/** Episodes stay whole: half of one would have lost its beginning or its outcome. */
async function checkEpisodes(reader: RecordingReader, fromNs: bigint, toNs: bigint): Promise<void> {
  for (const { number, startNs, endNs } of await episodeMarkers(reader)) {
    const cut = [fromNs, toNs].find((time) => time > startNs && (endNs === null || time <= endNs));
    if (cut === undefined || (cut === toNs && endNs === null)) continue;
    const first = reader.timesNs![0];
    const seconds = (time: bigint): string => (Number(time - first) / 1e9).toFixed(3);
    throw new IqLearnError('INVALID_ARGUMENT', `the stretch cuts episode ${number} of ${reader.path} in two`, {
      found: `a cut at ${seconds(cut)} s`,
      expected: `one outside ${seconds(startNs)} s to ${endNs === null ? 'the end' : `${seconds(endNs)} s`}`,
      remedy: 'cut between episodes',
    });
  }
}

/** Who made the recordings; null for other programs. */
function recordOf(readers: readonly RecordingReader[]): Map<string, string> | null {
  const infos = readers.map(({ info }) => info);
  const [first] = infos;
  const other = readers.find(({ info }) => info?.robot !== first?.robot);
  if (other !== undefined)
    throw new IqLearnError('MISMATCH', 'the recordings are of different robots', {
      found: `${readers[0]!.path} of ${first?.robot ?? 'another program'}, ${other.path} of ${other.info?.robot ?? 'another program'}`,
      expected: 'recordings of one robot',
    });
  if (first == null) return null;
  return new Map([
    ['robot', first.robot],
    ['robot_spec', first.robotSpec],
    ['robot_spec_sha256', first.robotSpecSha256],
    ['session', first.session],
    ['software', first.software],
  ]);
}

/** The definition of a message: that of this package for types that it knows, else as it was recorded. */
function definitionOf(reader: RecordingReader, { topic, type }: RecordedMessage): string | null {
  const recorded = reader.topics.get(topic);
  if (recorded?.unreadable?.code === 'UNSUPPORTED') return null;
  // The definition of a topic is that of its first type.
  if (recorded?.type !== type) return isMessageTypeName(type) ? schemaOf(type) : null;
  if (isMessageTypeName(type) && recorded?.unreadable === null) return schemaOf(type);
  return recorded?.definition ?? null;
}

/** The messages of all recordings, the one with the least log time next. */
async function* merged(
  readers: readonly RecordingReader[],
): AsyncGenerator<{ reader: RecordingReader; message: RecordedMessage }, void, void> {
  const streams = readers.map((reader) => ({ reader, messages: reader.messages() }));
  const heads: { reader: RecordingReader; messages: AsyncGenerator<RecordedMessage>; message: RecordedMessage }[] = [];
  for (const stream of streams) {
    const { value } = await stream.messages.next();
    if (value !== undefined) heads.push({ ...stream, message: value });
  }
  while (heads.length > 0) {
    const head = heads.reduce((least, each) => (each.message.logTimeNs < least.message.logTimeNs ? each : least));
    yield head;
    const { value } = await head.messages.next();
    if (value === undefined) heads.splice(heads.indexOf(head), 1);
    else head.message = value;
  }
}
