import { join } from 'node:path';
import { messageOf } from '../../common/index.js';
import type { Episode } from '../../learning/index.js';
import { type LearnerLinkFile, linkTopics, type OfferedRecording, RecordingReceiver } from '../../link/index.js';
import type { Logger } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import { learningEpisode, usableDemonstrations } from '../../sessions/index.js';
import { qos, type Transport } from '../../transport/index.js';
import { idInName, idOf, RecordingFolder } from './recording-store.js';

const MEGABYTE = 1024 * 1024;
/** How often it is looked whether a robot that was set aside is taken in again, in milliseconds. */
const LOOK_MS = 1000;

export interface ArrivedRecordingsParts {
  readonly spec: RobotSpec;
  /** Each robot of the fleet, with its topics over the link. */
  readonly robots: ReadonlyMap<string, Transport>;
  /** Holds a folder for each robot. */
  readonly folder: string;
  readonly limits: LearnerLinkFile['recordings'];
  readonly logger: Logger;
  /** Why nothing is learned from a robot; empty where it is. */
  readonly aside: (robot: string) => string;
  /** Whether the demonstrations of a recording are in the learner already. */
  readonly holds: (id: string) => boolean;
  /** Gives the demonstrations of a recording to the learner, whose checkpoints say from then on that it has them. */
  readonly demonstrate: (id: string, demonstrations: readonly Episode[]) => void;
}

/** What became of a robot's recordings, in numbers, and why the last that is not used is not. */
export interface RecordingOutcomes {
  readonly used: number;
  readonly aside: number;
  readonly problem: string;
}

/** As a status says it; of a robot that sends none, too. */
export const recordingFields = ({ used, aside, problem }: RecordingOutcomes = { used: 0, aside: 0, problem: '' }) => ({
  recordings_used: BigInt(used),
  recordings_aside: BigInt(aside),
  recordings_problem: problem,
});

interface Arrived {
  readonly robot: string;
  readonly id: string;
  readonly path: string;
  /** The whole hash, once the robot has said it. */
  sha256: string | undefined;
  state: 'waiting' | 'used' | 'aside';
  reason: string;
}

interface Member {
  readonly store: RecordingFolder;
  readonly receiver: RecordingReceiver;
  readonly recordings: Map<string, Arrived>;
}

/**
 * Takes the recordings that robots send over the link, and has the demonstrations in them learned from, under the same
 * checks as those that are given with `--recording`. One that cannot be used is set aside with the reason. The learner's
 * checkpoint says which it has: those that came after it are used again when a learner that was killed goes on.
 */
export class ArrivedRecordings {
  readonly #parts: ArrivedRecordingsParts;
  readonly #members = new Map<string, Member>();
  readonly #queue: Arrived[] = [];
  readonly #closes: (() => void)[] = [];
  #working = false;
  #closed = false;

  constructor(parts: ArrivedRecordingsParts) {
    this.#parts = parts;
    for (const [robot, link] of parts.robots) this.#members.set(robot, this.#open(robot, link));
    const timer = setInterval(() => void this.#work(), LOOK_MS);
    this.#closes.push(() => clearInterval(timer));
  }

  of(robot: string): RecordingOutcomes {
    const all = [...(this.#members.get(robot)?.recordings.values() ?? [])];
    const aside = all.filter(({ state }) => state === 'aside');
    const last = aside.at(-1);
    return {
      used: all.filter(({ state }) => state === 'used').length,
      aside: aside.length,
      problem: last === undefined ? '' : `${last.path}: ${last.reason}`,
    };
  }

  close(): void {
    this.#closed = true;
    for (const close of this.#closes) close();
  }

  #open(robot: string, link: Transport): Member {
    const { folder, limits, logger } = this.#parts;
    const store = new RecordingFolder({
      folder: join(folder, robot),
      maxBytes: limits.megabytes_per_robot * MEGABYTE,
    });
    const positions = link.advertise(
      linkTopics.recordingPosition.topic,
      'iq_learn_link/msg/RecordingPosition',
      qos.event,
    );
    const receiver = new RecordingReceiver({
      robot,
      store,
      publish: (position) => positions.publish(position),
      onArrived: (recording) => this.#arrived(robot, recording),
      warn: (text) => logger.warn(text),
      maxBytes: limits.megabytes_per_file * MEGABYTE,
    });
    const chunks = link.subscribe(
      linkTopics.recording.topic,
      'iq_learn_link/msg/RecordingChunk',
      (chunk) => receiver.take(chunk),
      qos.event,
    );
    this.#closes.push(() => chunks.close());
    const recordings = new Map<string, Arrived>();
    for (const path of store.list()) {
      const id = idInName(path);
      if (id !== undefined) this.#add(recordings, { robot, id, path, sha256: undefined, state: 'waiting', reason: '' });
    }
    return { store, receiver, recordings };
  }

  #add(recordings: Map<string, Arrived>, arrived: Arrived): void {
    recordings.set(arrived.id, arrived);
    this.#queue.push(arrived);
  }

  #arrived(robot: string, recording: OfferedRecording): void {
    const { store, recordings } = this.#members.get(robot)!;
    const id = idOf(recording);
    const known = recordings.get(id);
    const { sha256 } = recording;
    if (known === undefined) {
      this.#parts.logger.info('a recording has arrived', { robot, file: recording.file, bytes: recording.size });
      this.#add(recordings, { robot, id, path: store.path(recording), sha256, state: 'waiting', reason: '' });
    } else {
      known.sha256 = sha256;
      this.#tell(known);
    }
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let arrived = this.#take(); arrived !== undefined && !this.#closed; arrived = this.#take())
      await this.#use(arrived);
    this.#working = false;
  }

  /** The next recording of a robot that is learned from; the others wait until theirs is taken in again. */
  #take(): Arrived | undefined {
    const at = this.#queue.findIndex(({ robot }) => this.#parts.aside(robot) === '');
    for (const waiting of at < 0 ? this.#queue : this.#queue.slice(0, at))
      if (waiting.state === 'waiting')
        this.#settle(waiting, 'aside', `the robot is set aside (${this.#parts.aside(waiting.robot)})`);
    return at < 0 ? undefined : this.#queue.splice(at, 1)[0];
  }

  async #use(arrived: Arrived): Promise<void> {
    const { spec, logger, holds, demonstrate } = this.#parts;
    const { id, robot, path } = arrived;
    if (holds(id)) {
      this.#settle(arrived, 'used', '');
      return;
    }
    try {
      const episodes = await usableDemonstrations(spec, [path], (text) => logger.warn(text));
      if (this.#closed) return;
      if (episodes.length === 0) {
        this.#settle(arrived, 'aside', 'there is no demonstration in it');
        return;
      }
      const demonstrations = episodes.map((episode) => learningEpisode(episode, spec));
      demonstrate(id, demonstrations);
      const transitions = demonstrations.reduce((sum, { length }) => sum + length, 0);
      logger.info('a recording is learned from', { robot, path, episodes: episodes.length, transitions });
      this.#settle(arrived, 'used', '');
    } catch (error) {
      this.#settle(arrived, 'aside', messageOf(error));
    }
  }

  #settle(arrived: Arrived, state: 'used' | 'aside', reason: string): void {
    const { robot, path } = arrived;
    arrived.state = state;
    arrived.reason = reason;
    if (state === 'aside') this.#parts.logger.warn('a recording is set aside', { robot, path, reason });
    this.#tell(arrived);
  }

  #tell({ robot, sha256, state, reason }: Arrived): void {
    if (sha256 !== undefined && state !== 'waiting') this.#members.get(robot)?.receiver.settle(sha256, state, reason);
  }
}
