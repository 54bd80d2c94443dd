import { messageOf } from '../common/index.js';
import type { MessageTypes } from '../messages/index.js';
import { crc32 } from '../platform/index.js';
import { Allowance } from './allowance.js';

export type RecordingChunk = MessageTypes['iq_learn_link/msg/RecordingChunk'];
export type RecordingPosition = MessageTypes['iq_learn_link/msg/RecordingPosition'];

/** A whole file of a recording, which does not change any more. */
export interface OfferedRecording {
  /** Its name without a folder: letters, digits, _ . and -, as {@link recordingName} makes it. */
  readonly file: string;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Where a robot's recordings are. */
export interface RecordingSource {
  /** Every file of a recording that is closed. */
  list(): Promise<readonly OfferedRecording[]>;
  /** `length` bytes of such a file from `offset`. Rejects where the file is gone or is another one by now. */
  read(recording: OfferedRecording, offset: number, length: number): Promise<Uint8Array>;
}

export interface RecordingSenderOptions {
  readonly robot: string;
  readonly source: RecordingSource;
  readonly publish: (chunk: RecordingChunk) => void;
  /** Milliseconds of the steady clock. */
  readonly nowMs: () => number;
  readonly say: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly bytesPerSecond: number;
  readonly chunkBytes?: number;
  /** Most bytes that are under way without the learner's side having them. */
  readonly windowBytes?: number;
  /** Milliseconds without an answer after which what is under way is sent again. */
  readonly retryMs?: number;
  /** Milliseconds from one look for new recordings to the next. */
  readonly lookMs?: number;
  /** Milliseconds from one question how a recording stands that has arrived, or finds no space, to the next. */
  readonly askMs?: number;
}

export interface RecordingFigures {
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly sent: number;
  readonly refused: number;
}

interface Entry {
  recording: OfferedRecording;
  /** As the learner's side says it; `new` where it was not asked yet, `unsaid` where it does not answer. */
  state: string;
  received: number;
  askedMs: number;
}

const ARRIVED = new Set(['stored', 'used', 'aside']);
const NONE = new Uint8Array(0);

/**
 * Sends the files of a robot's recordings to the learner's side, one after the other and in parts. The learner's side says
 * how far each has come, and sending goes on from there after whatever broke it off. Nothing about it is kept on the robot's
 * disk: a recording that has arrived is offered again after a start, and now and then, and the answer is that it is there.
 * So a learner's side that lost its folder gets everything again.
 */
export class RecordingSender {
  readonly #options: Required<RecordingSenderOptions>;
  #entries = new Map<string, Entry>();
  #current: Entry | undefined;
  #sent = 0;
  #progressMs = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking = false;
  #reading = false;
  #failing = '';
  readonly #allowance: Allowance;

  constructor(options: RecordingSenderOptions) {
    this.#options = {
      chunkBytes: 64 * 1024,
      windowBytes: 256 * 1024,
      retryMs: 5000,
      lookMs: 5000,
      askMs: 30_000,
      ...options,
    };
    this.#allowance = new Allowance(this.#options.bytesPerSecond, options.nowMs());
  }

  get figures(): RecordingFigures {
    const figures = { waiting: 0, waitingBytes: 0, sent: 0, refused: 0 };
    for (const { state, received, recording } of this.#entries.values()) {
      if (ARRIVED.has(state)) figures.sent += 1;
      else if (state === 'refused') figures.refused += 1;
      else {
        figures.waiting += 1;
        figures.waitingBytes += recording.size - received;
      }
    }
    return figures;
  }

  /** Sends what may be sent now. To be called a few times per second, with whether nothing more urgent is to be sent. */
  pump(mayTakeSpace: boolean): void {
    const { nowMs, lookMs } = this.#options;
    const now = nowMs();
    this.#allowance.refill(now);
    if (now - this.#lookedMs >= lookMs && !this.#looking) void this.#look(now);
    if (!mayTakeSpace) return;
    this.#current ??= this.#next(now);
    if (this.#current === undefined || this.#reading) return;
    if (now - this.#progressMs > this.#options.retryMs) this.#ask(this.#current, now);
    void this.#send(this.#current);
  }

  /** The learner's side says how far a recording has come. */
  position({ robot, sha256, received, state, reason }: RecordingPosition): void {
    const entry = robot === this.#options.robot ? this.#entries.get(sha256) : undefined;
    if (entry === undefined) return;
    const { file, size } = entry.recording;
    if (state !== entry.state) {
      if (state === 'refused' || state === 'aside' || state === 'waiting')
        this.#options.warn(`the learner's side says of the recording ${file}: ${state}: ${reason}`);
      else if (ARRIVED.has(state) && !ARRIVED.has(entry.state)) this.#options.say(`the recording ${file} has arrived`);
    }
    const before = entry.received;
    entry.state = state;
    entry.received = Math.min(Number(received), size);
    if (entry !== this.#current) return;
    if (state !== 'receiving') this.#current = undefined;
    else if (entry.received > before || entry.received > this.#sent) this.#progressMs = this.#options.nowMs();
    // What was begun anew, on the other side or because the file came damaged, is sent from its beginning.
    if (entry.received < before || entry.received > this.#sent) this.#sent = entry.received;
  }

  /** The link is there again: what was under way may be lost. */
  resume(): void {
    if (this.#current !== undefined) this.#ask(this.#current, this.#options.nowMs());
  }

  async #look(now: number): Promise<void> {
    this.#looking = true;
    this.#lookedMs = now;
    try {
      const found = new Map<string, Entry>();
      for (const recording of await this.#options.source.list()) {
        const known = this.#entries.get(recording.sha256);
        if (known !== undefined) known.recording = recording;
        found.set(
          recording.sha256,
          known ?? { recording, state: 'new', received: 0, askedMs: Number.NEGATIVE_INFINITY },
        );
      }
      this.#entries = found;
      if (this.#current !== undefined && !found.has(this.#current.recording.sha256)) this.#current = undefined;
      this.#failing = '';
    } catch (error) {
      this.#warnOnce(`the recordings cannot be looked through: ${messageOf(error)}`);
    }
    this.#looking = false;
  }

  /** What is to be sent next; of those that have arrived or found no space, one is asked for now and then. */
  #next(now: number): Entry | undefined {
    const { askMs } = this.#options;
    const entries = [...this.#entries.values()];
    const isDue = ({ state, askedMs }: Entry): boolean =>
      now - askedMs >= (state === 'new' || state === 'receiving' ? 0 : askMs);
    const open = entries.find((entry) => !ARRIVED.has(entry.state) && entry.state !== 'refused' && isDue(entry));
    if (open !== undefined) {
      this.#sent = open.received;
      this.#ask(open, now);
      return open;
    }
    const [oldest] = entries.toSorted((a, b) => a.askedMs - b.askedMs);
    if (oldest !== undefined && entries.every(({ askedMs }) => now - askedMs >= askMs)) this.#ask(oldest, now);
    return undefined;
  }

  /** Offers a recording: the answer is how far it has come. What is under way counts as lost. */
  #ask(entry: Entry, now: number): void {
    entry.askedMs = now;
    this.#progressMs = now;
    if (entry === this.#current) {
      this.#sent = entry.received;
      if (entry.state === 'receiving') entry.state = 'unsaid';
    }
    this.#publish(entry.recording, 0, NONE);
  }

  async #send(entry: Entry): Promise<void> {
    const { source, chunkBytes, windowBytes } = this.#options;
    const { recording } = entry;
    this.#reading = true;
    try {
      while (
        entry === this.#current &&
        entry.state === 'receiving' &&
        this.#sent < recording.size &&
        this.#sent - entry.received < windowBytes &&
        this.#allowance.isLeft
      ) {
        const offset = this.#sent;
        const data = await source.read(recording, offset, Math.min(chunkBytes, recording.size - offset));
        // Meanwhile the other side may have said that it is elsewhere.
        if (entry !== this.#current || this.#sent !== offset) break;
        this.#sent += data.length;
        this.#allowance.take(data.length);
        this.#publish(recording, offset, data);
      }
    } catch (error) {
      this.#entries.delete(recording.sha256);
      if (entry === this.#current) this.#current = undefined;
      this.#warnOnce(`the recording ${recording.file} cannot be read: ${messageOf(error)}`);
    }
    this.#reading = false;
  }

  #publish({ file, size, sha256 }: OfferedRecording, offset: number, data: Uint8Array): void {
    const { robot, publish } = this.#options;
    publish({ robot, file, size: BigInt(size), sha256, offset: BigInt(offset), crc32: crc32(data), data });
  }

  #warnOnce(text: string): void {
    if (text !== this.#failing) this.#options.warn(text);
    this.#failing = text;
  }
}
