// Longer than 300 lines: writing, closing and what is kept after a failure share the queue and the open episode.
import { stringify } from 'yaml';
import { IqLearnError, messageOf, type SteadyClock, steadyClock } from '../common/index.js';
import {
  type EpisodeEvent,
  encode,
  episodeEvent,
  header,
  type MessageTypeName,
  type MessageTypes,
  nanosecondsOf,
  schemaOf,
} from '../messages/index.js';
import {
  basename,
  createOutput,
  type FolderLock,
  join,
  lockFolder,
  makeFolder,
  namesIn,
  renameDurable,
  resolve,
  truncateFile,
  writeFileAtomic,
} from '../platform/index.js';
import { robotSpecHash } from '../robot/index.js';
import { McapOutput } from './mcap-output.js';
import { RecordedTopics } from './recorded-topics.js';
import type { RecordingFile } from './recording-file.js';
import type { RecordingOptions, RecordingSummary } from './recording-options.js';
import { recoverUnlocked } from './recover.js';
import { rosbagMetadata } from './rosbag-metadata.js';
import { WriteQueue } from './write-queue.js';

/** The topic of the episode markers. */
export const episodeTopic = '/episode_events';
const eventType = 'iq_learn/msg/EpisodeEvent';
/** The longest stretch that a chunk holds: what one damaged byte can cost. */
const CHUNK_NS = 1_000_000_000n;

/**
 * Records topics as a rosbag2 folder: `<folder>/<name>_0.mcap` (`.part` while open) and metadata.yaml, written last.
 *
 * `write` encodes at once and returns; a queue writes in order. A chunk ends with every second of the recording
 * and every episode, so a damaged byte costs at most a second; it is flushed with every episode and every
 * `flushSeconds`, so a kill loses at most what came since. If the disk fails, the recording is cut at
 * the last whole chunk, its episode closed as truncated, and `onError` called once.
 */
export class RecordingWriter {
  readonly folder: string;
  readonly #clock: SteadyClock;
  readonly #flushNs: bigint;
  readonly #lock: FolderLock;
  readonly #path: string;
  readonly #file: RecordingFile;
  readonly #output: McapOutput;
  readonly #topics = new RecordedTopics();
  readonly #queue: WriteQueue;
  #closing: Promise<RecordingSummary> | undefined;
  #flushedNs: bigint;
  #episodes = 0;
  #discarded = 0;
  #openEpisode: number | null = null;
  /** The number of the last episode, where it has ended and may still be discarded. */
  #endedEpisode: number | null = null;
  #lastStampNs = 0n;
  #lastLogNs = 0n;
  /** Log time at which the open chunk began. */
  #chunkNs = 0n;

  private constructor(
    folder: string,
    options: RecordingOptions,
    lock: FolderLock,
    path: string,
    file: RecordingFile,
    output: McapOutput,
  ) {
    this.folder = folder;
    this.#clock = options.clock ?? steadyClock;
    this.#flushNs = BigInt(Math.round((options.flushSeconds ?? 1) * 1e9));
    this.#flushedNs = this.#clock.nowNs();
    this.#lock = lock;
    this.#path = path;
    this.#file = file;
    this.#output = output;
    this.#queue = new WriteQueue(file, output, {
      maxPendingBytes: options.maxPendingBytes ?? 64 * 1024 * 1024,
      failure: (what, cause) =>
        what === 'too slow'
          ? ioError(`the disk is too slow for the recording ${path}`, cause)
          : ioError(`recording to ${path} failed`, cause),
      onError: (error) => options.onError?.(error),
    });
  }

  /**
   * Starts a recording in a new (or empty) folder, whose name becomes the bag's. Throws CONFLICT for a folder that
   * holds something or is being recorded to, IO where it cannot be written.
   */
  static async create(folder: string, options: RecordingOptions): Promise<RecordingWriter> {
    const target = resolve(folder);
    const lock = lockFolder(target);
    const path = join(target, `${basename(target)}_0.mcap`);
    try {
      makeFolder(target);
      const others = namesIn(target).filter((name) => name !== '.lock');
      if (others.length > 0)
        throw new IqLearnError('CONFLICT', `the folder ${target} is not empty`, {
          found: others.slice(0, 5).join(', '),
          expected: 'a new folder for every recording',
          remedy: others.some((name) => name.endsWith('.part'))
            ? 'record to another folder; the unfinished recording in this one can be recovered'
            : 'record to another folder',
        });
      const file = await (options.createFile ?? createOutput)(`${path}.part`);
      const output = await McapOutput.start(
        file,
        options.software ?? 'iq_learn',
        new Map([
          ['robot', options.spec.robot],
          ['robot_spec', stringify(options.spec)],
          ['robot_spec_sha256', robotSpecHash(options.spec)],
          ['session', options.session],
          ['software', options.software ?? 'iq_learn'],
        ]),
        options.chunkBytes,
      );
      return new RecordingWriter(target, options, lock, path, file, output);
    } catch (cause) {
      lock.release();
      throw cause instanceof IqLearnError ? cause : ioError(`cannot record to ${path}`, cause);
    }
  }

  /** The failure that ended the recording, if any. */
  get error(): IqLearnError | null {
    return this.#queue.error;
  }

  /** Number of the episode that is open. */
  get openEpisode(): number | null {
    return this.#openEpisode;
  }

  /** Number of the last episode, where it has ended and may still be discarded. */
  get endedEpisode(): number | null {
    return this.#endedEpisode;
  }

  /** Messages that were not recorded because writing had failed. */
  get lost(): number {
    return this.#queue.lost;
  }

  /**
   * Records a message. Times are ROS time in nanoseconds: when it arrived here (`logTimeNs`) and when it was sent.
   * An EpisodeEvent on {@link episodeTopic} opens or closes an episode. Throws INVALID_ARGUMENT for a message that
   * does not fit its type, or a topic of another type; never for a failing disk.
   */
  write<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    message: MessageTypes[Name],
    logTimeNs: bigint,
    publishTimeNs: bigint = logTimeNs,
  ): void {
    if (this.#closing !== undefined)
      throw new IqLearnError('INVALID_ARGUMENT', 'the recording is closed', { found: `a message on ${topic}` });
    this.#topics.check(topic, type, logTimeNs, publishTimeNs);
    const event = topic === episodeTopic && type === eventType ? (message as EpisodeEvent) : undefined;
    if (this.#queue.error !== null) {
      if (event !== undefined) this.#track(event);
      this.#queue.lost++;
      return;
    }
    const data = encode(type, message);
    if (event !== undefined) this.#track(event);
    if ('header' in message) {
      const stampNs = nanosecondsOf(message.header.stamp);
      if (stampNs > this.#lastStampNs || event !== undefined) this.#lastStampNs = stampNs;
    }
    this.#lastLogNs = logTimeNs;
    const now = this.#clock.nowNs();
    const flush = (event !== undefined && event.kind !== episodeEvent.START) || now - this.#flushedNs >= this.#flushNs;
    if (flush) this.#flushedNs = now;
    const endsChunk = flush || logTimeNs - this.#chunkNs >= CHUNK_NS || logTimeNs < this.#chunkNs;
    if (endsChunk) this.#chunkNs = logTimeNs;
    this.#queue.push({ topic, type, schema: schemaOf(type), data, logTimeNs, publishTimeNs, flush, endsChunk });
  }

  #track({ kind, episode }: EpisodeEvent): void {
    if (kind === episodeEvent.START) {
      this.#openEpisode = episode;
      this.#endedEpisode = null;
      this.#episodes++;
    } else {
      if (kind === episodeEvent.DISCARD) this.#discarded++;
      else this.#endedEpisode = this.#openEpisode;
      this.#openEpisode = null;
    }
  }

  /** Marks the start of an episode: the observation stamped `stampNs` is its first. */
  startEpisode(start: { stampNs: bigint; episode: number; seed?: bigint }): void {
    this.#mark(start.stampNs, { kind: episodeEvent.START, episode: start.episode, seed: start.seed ?? -1n });
  }

  /** Marks the end of the open episode: the observation stamped `stampNs` is its last. The episode is on the disk soon after. */
  endEpisode(end: {
    stampNs: bigint;
    terminated: boolean;
    truncated: boolean;
    success?: boolean;
    reason?: string;
  }): void {
    const { terminated, truncated, success, reason = '' } = end;
    this.#mark(end.stampNs, {
      kind: episodeEvent.END,
      terminated,
      truncated,
      success: success === undefined ? episodeEvent.UNKNOWN : success ? episodeEvent.SUCCESS : episodeEvent.FAILURE,
      reason,
    });
  }

  /**
   * Discards the open episode, or the last one where it has ended already: it stays in the file and is never learnt from.
   * Throws INVALID_ARGUMENT where there is none, or it is discarded already.
   */
  discardEpisode(discard: { stampNs: bigint; reason: string }): void {
    const episode = this.#openEpisode ?? this.#endedEpisode;
    this.#endedEpisode = null;
    const which = episode === null ? {} : { episode };
    this.#mark(discard.stampNs, { kind: episodeEvent.DISCARD, ...which, reason: discard.reason }, episode !== null);
  }

  #mark(stampNs: bigint, event: Partial<EpisodeEvent>, isKnown = this.#openEpisode !== null): void {
    if (event.kind !== episodeEvent.START && !isKnown)
      throw new IqLearnError('INVALID_ARGUMENT', 'no episode is open', {
        remedy: 'start an episode before ending or discarding one',
      });
    if (event.kind === episodeEvent.START && this.#openEpisode !== null)
      this.endEpisode({
        stampNs: this.#lastStampNs,
        terminated: false,
        truncated: true,
        reason: 'another one started',
      });
    this.write(
      episodeTopic,
      eventType,
      {
        header: header(stampNs),
        kind: episodeEvent.START,
        episode: this.#openEpisode ?? 0,
        terminated: false,
        truncated: false,
        success: episodeEvent.UNKNOWN,
        seed: -1n,
        reason: '',
        ...event,
      },
      stampNs > this.#lastLogNs ? stampNs : this.#lastLogNs,
    );
  }

  /** Resolves when everything written so far has been handed to the file (or the recording has failed). */
  async idle(): Promise<void> {
    await this.#queue.idle();
  }

  /**
   * Ends the recording: an open episode is closed as truncated, the file completed, flushed and renamed, and
   * metadata.yaml written last. Resolves for a failed recording too, with `partial` set; calling again gives the same.
   */
  close(): Promise<RecordingSummary> {
    if (this.#closing === undefined) {
      if (this.#openEpisode !== null && this.#queue.error === null)
        this.endEpisode({ stampNs: this.#lastStampNs, terminated: false, truncated: true, reason: 'recording closed' });
      this.#closing = this.#close();
    }
    return this.#closing;
  }

  async #close(): Promise<RecordingSummary> {
    await this.#queue.idle();
    const name = basename(this.#path);
    let file = this.#path;
    try {
      if (this.#queue.error === null) {
        try {
          const summary = await this.#output.end(name);
          renameDurable(`${this.#path}.part`, this.#path);
          writeFileAtomic(join(this.folder, 'metadata.yaml'), rosbagMetadata(summary));
        } catch (cause) {
          this.#queue.fail(ioError(`completing ${this.#path} failed`, cause));
        }
      }
      if (this.#queue.error !== null) file = await this.#salvage();
    } finally {
      this.#lock.release();
    }
    return {
      folder: this.folder,
      file,
      messages: this.#queue.written,
      episodes: this.#episodes,
      discarded: this.#discarded,
      partial: this.#queue.error !== null,
      lost: this.#queue.lost,
    };
  }

  /** After a failure: keeps the whole chunks and completes the file where there is room for it. */
  async #salvage(): Promise<string> {
    try {
      await this.#file.close();
    } catch {
      // It may be closed already; what counts is on the disk.
    }
    try {
      truncateFile(`${this.#path}.part`, Number(this.#queue.goodBytes));
      const { messages, closedEpisode } = await recoverUnlocked(this.folder, 'the disk failed');
      const kept = messages - (closedEpisode === null ? 0 : 1); // the marker that closes the open episode is new
      this.#queue.lost += this.#queue.written - kept;
      this.#queue.written = kept;
      return this.#path;
    } catch {
      return `${this.#path}.part`; // still full: `recover` can be run when there is room
    }
  }
}

function ioError(what: string, cause: unknown): IqLearnError {
  return new IqLearnError('IO', what, {
    found: messageOf(cause),
    expected: 'a disk that takes the recording',
    remedy: 'free space or choose another disk; closed episodes are kept',
    cause,
  });
}
