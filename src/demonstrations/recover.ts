import { IqLearnError } from '../common/index.js';
import { decode, type EpisodeEvent, encode, episodeEvent, header, schemaOf } from '../messages/index.js';
import {
  createOutput,
  join,
  kindOfPath,
  lockFolder,
  namesIn,
  removeFile,
  renameDurable,
  resolve,
  writeFileAtomic,
} from '../platform/index.js';
import { readMcap } from './mcap-input.js';
import { McapOutput, type RawMessage, recordName } from './mcap-output.js';
import { type BagSummary, rosbagMetadata } from './rosbag-metadata.js';

const eventType = 'iq_learn/msg/EpisodeEvent';

export interface Recovery {
  readonly folder: string;
  /** False when the recording was complete already. */
  readonly recovered: boolean;
  /** Messages in the file now. */
  readonly messages: number;
  /** Number of the episode that was open and is now closed as truncated. */
  readonly closedEpisode: number | null;
  /** What was lost, for people; empty if nothing was. */
  readonly problems: readonly string[];
}

/** Stamp, in nanoseconds, of a message that begins with a header; iq_learn writes little-endian. */
function leadingStamp(data: Uint8Array): bigint | undefined {
  if (data.length < 12) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return BigInt(view.getInt32(4, true)) * 1_000_000_000n + BigInt(view.getUint32(8, true));
}

/** Follows the episode markers of a file that is being read. */
class OpenEpisode {
  number: number | null = null;
  #stampNs = 0n;
  #logTimeNs = 0n;

  see({ type, schema, data, logTimeNs }: RawMessage): void {
    this.#logTimeNs = logTimeNs;
    if (type === eventType) {
      const event = decode(eventType, data);
      this.number = event.kind === episodeEvent.START ? event.episode : null;
    }
    const stampNs =
      schema.trimStart().startsWith('std_msgs/Header ') || type === eventType ? leadingStamp(data) : undefined;
    if (stampNs !== undefined && (stampNs > this.#stampNs || type === eventType)) this.#stampNs = stampNs;
  }

  /** The marker that closes it. */
  end(reason: string): RawMessage {
    const event: EpisodeEvent = {
      header: header(this.#stampNs),
      kind: episodeEvent.END,
      episode: this.number ?? 0,
      terminated: false,
      truncated: true,
      success: episodeEvent.UNKNOWN,
      seed: -1n,
      reason,
    };
    return {
      topic: '/episode_events',
      type: eventType,
      schema: schemaOf(eventType),
      data: encode(eventType, event),
      logTimeNs: this.#logTimeNs,
      publishTimeNs: this.#logTimeNs,
    };
  }
}

/** Copies every whole message of `from` to `to` and closes an open episode. */
async function rebuild(
  from: string,
  to: string,
  fileName: string,
  reason: string,
): Promise<{ summary: BagSummary; closedEpisode: number | null; problems: string[] }> {
  const problems: string[] = [];
  const schemas = new Map<number, { type: string; schema: string }>();
  const channels = new Map<number, { topic: string; type: string; schema: string }>();
  const episode = new OpenEpisode();
  let library = 'iq_learn';
  let record: Map<string, string> | null = null;
  let output: McapOutput | undefined;
  const start = async (): Promise<McapOutput> => McapOutput.start(await createOutput(to), library, record);

  for await (const item of readMcap(from, (text) => problems.push(text))) {
    if (item.type === 'Header') library = item.library;
    else if (item.type === 'Metadata' && item.name === recordName) record = item.metadata.set('recovered', reason);
    else if (item.type === 'Schema')
      schemas.set(item.id, { type: item.name, schema: new TextDecoder().decode(item.data) });
    else if (item.type === 'Channel') {
      const schema = schemas.get(item.schemaId);
      if (schema !== undefined) channels.set(item.id, { topic: item.topic, ...schema });
    } else if (item.type === 'Message') {
      const channel = channels.get(item.channelId);
      if (channel === undefined) continue;
      const message = { ...channel, data: item.data, logTimeNs: item.logTime, publishTimeNs: item.publishTime };
      output ??= await start();
      await output.add(message, false);
      episode.see(message);
    } else if (item.type === 'Lost' && output !== undefined && episode.number !== null) {
      // What follows may be of another episode, or of one that was discarded: it stays in the file, outside of any.
      await output.add(episode.end('damaged'), false);
      episode.number = null;
    }
  }
  output ??= await start();
  if (episode.number !== null) await output.add(episode.end(reason), false);
  return { summary: await output.end(fileName), closedEpisode: episode.number, problems };
}

/** Topics, counts and times of a complete file whose metadata.yaml was not written. */
async function summarise(path: string, fileName: string): Promise<BagSummary> {
  const schemas = new Map<number, string>();
  const channels = new Map<number, { name: string; type: string; messageCount: number }>();
  let first: bigint | undefined;
  let last = 0n;
  for await (const item of readMcap(path, () => undefined)) {
    if (item.type === 'Schema') schemas.set(item.id, item.name);
    else if (item.type === 'Channel' && !channels.has(item.id))
      channels.set(item.id, { name: item.topic, type: schemas.get(item.schemaId) ?? '', messageCount: 0 });
    else if (item.type === 'Message') {
      channels.get(item.channelId)!.messageCount++;
      if (first === undefined || item.logTime < first) first = item.logTime;
      if (item.logTime > last) last = item.logTime;
    }
  }
  const startNs = first ?? 0n;
  return { file: fileName, startNs, durationNs: last > startNs ? last - startNs : 0n, topics: [...channels.values()] };
}

/** {@link recover} for a folder this process has locked. */
export async function recoverUnlocked(folder: string, reason = 'recovered'): Promise<Recovery> {
  const names = namesIn(folder);
  const part = names.find((name) => name.endsWith('.mcap.part'));
  const whole = part?.slice(0, -'.part'.length) ?? names.find((name) => name.endsWith('.mcap'));
  if (whole === undefined)
    throw new IqLearnError('NOT_FOUND', `no recording in ${folder}`, {
      found: names.filter((name) => name !== '.lock').join(', ') || 'an empty folder',
      expected: '<name>_0.mcap.part of a recording that was cut',
      remedy: 'give the folder of the recording itself',
    });
  const path = join(folder, whole);
  const metadata = join(folder, 'metadata.yaml');
  let closedEpisode: number | null = null;
  let problems: readonly string[] = [];
  let summary: BagSummary | undefined;
  // The finished file is renamed into place as a whole: if it exists, the .part is a leftover.
  if (part !== undefined && kindOfPath(path) === null) {
    const rebuilt = `${path}.recovering.part`;
    try {
      ({ summary, closedEpisode, problems } = await rebuild(join(folder, part), rebuilt, whole, reason));
      renameDurable(rebuilt, path);
    } finally {
      removeFile(rebuilt);
    }
  }
  const recovered = part !== undefined || kindOfPath(metadata) === null;
  if (recovered) {
    summary ??= await summarise(path, whole);
    writeFileAtomic(metadata, rosbagMetadata(summary));
    if (part !== undefined) removeFile(join(folder, part));
  }
  summary ??= await summarise(path, whole);
  const messages = summary.topics.reduce((sum, { messageCount }) => sum + messageCount, 0);
  return { folder, recovered, messages, closedEpisode, problems };
}

/**
 * Completes a recording that was cut by a kill or a power failure: closed episodes stay as they are, an open one is
 * kept up to the last whole chunk and closed as truncated with the reason 'recovered'. It may be run again at any time,
 * also after a kill in the middle of it. Throws CONFLICT while the recording is being written, NOT_FOUND if there is
 * none, and CORRUPT_DATA if the file is not a recording.
 */
export async function recover(folder: string): Promise<Recovery> {
  const target = resolve(folder);
  if (kindOfPath(target) === null)
    throw new IqLearnError('NOT_FOUND', `no folder ${target}`, { expected: 'the folder of a recording' });
  const lock = lockFolder(target);
  try {
    return await recoverUnlocked(target);
  } finally {
    lock.release();
  }
}
