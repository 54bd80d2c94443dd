import type { MessageTypes } from '../messages/index.js';
import { Allowance } from './allowance.js';
import type { StreamSource } from './spool.js';

export type StreamBatch = MessageTypes['iq_learn_link/msg/StreamBatch'];
export type StreamPosition = MessageTypes['iq_learn_link/msg/StreamPosition'];

/** How far the learner's side has come, without what it asks of the robot. */
export type StreamStanding = Pick<StreamPosition, 'robot' | 'epoch' | 'received' | 'durable'>;

export interface SenderOptions {
  readonly robot: string;
  readonly source: StreamSource;
  readonly publish: (batch: StreamBatch) => void;
  /** Milliseconds of the steady clock. */
  readonly nowMs: () => number;
  /** Most bytes of records in one message. */
  readonly batchBytes?: number;
  /** Most bytes that are under way without the learner's side having them. */
  readonly windowBytes?: number;
  /** Bytes per second at most: after a partition what has gathered leaves room for what is live. */
  readonly bytesPerSecond?: number;
  /**
   * Milliseconds without progress after which what is under way is sent again, unless it lately took longer than a third of
   * that until something arrived; twice as long for each time that this did not help, up to 16 times: a learner that is
   * behind is not helped by hearing everything again.
   */
  readonly retryMs?: number;
  /** Records are gathered for this long before they are sent, in milliseconds, unless there are many; 0 for not at all. */
  readonly gatherMs?: number;
}

/** So many records are not gathered any longer. */
const MANY = 256n;
const MOST_DOUBLINGS = 4;
/** No longer than this are records gathered, whatever the learner's side asks for. */
const LONGEST_GATHER_MS = 2000;
/** Times between two statuses, and times that the way took lately, after which what is under way is sent again. */
const PATIENCE = 3;
/** What is left of the longest time that the way took, with each message that has arrived. */
const FORGET = 0.9;

/**
 * Sends a spool's records in order to the learner's side, which answers with how far it has come. What is under way is
 * bounded; what does not arrive is sent again from there, whatever lost it: the robot, the broker, or the network. So the
 * broker need not remember anything. Nothing is sent before the learner's side has said where it stands.
 */
export class StreamSender {
  readonly #options: Required<SenderOptions>;
  /** Where the learner's side stands; undefined while it is unknown. */
  #received: bigint | undefined;
  #sent = 0n;
  #isIdle = false;
  /** What the learner's side asks for; nothing until it has said so. */
  #asked = { gatherMs: 0, statusMs: 0, windowBytes: Number.POSITIVE_INFINITY, hold: false };
  #underWay: { readonly upTo: bigint; readonly bytes: number; readonly sentMs: number }[] = [];
  #progressMs = 0;
  /** How often what is under way was sent again without progress, and up to where anything was. */
  #repeats = 0;
  #repeatedUpTo = 0n;
  /** How long it took lately until it was known that a message had arrived: the longest, which is slowly forgotten. */
  #roundTripMs = 0;
  #publishedMs = Number.NEGATIVE_INFINITY;
  readonly #allowance: Allowance;

  constructor(options: SenderOptions) {
    this.#options = {
      batchBytes: 128 * 1024,
      windowBytes: 1024 * 1024,
      bytesPerSecond: 4 * 1024 * 1024,
      retryMs: 3000,
      gatherMs: 0,
      ...options,
    };
    this.#allowance = new Allowance(this.#options.bytesPerSecond, options.nowMs());
  }

  /** Whether everything written so far has arrived. */
  get isDone(): boolean {
    return this.#received !== undefined && this.#received >= this.#options.source.last;
  }

  /** Whether nothing waited to be sent when it was looked last: what was written has arrived, or is on its way. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** Whether the learner's side is behind, and has asked for nothing to be sent. */
  get isHeld(): boolean {
    return this.#asked.hold;
  }

  /** Milliseconds between two statuses that the learner's side asks for; 0 where it does not. */
  get statusMs(): number {
    return this.#asked.statusMs;
  }

  /** Takes what the learner's side says, and sends what can be sent. */
  position(position: StreamStanding & Partial<StreamPosition>): void {
    const { source, nowMs } = this.#options;
    const { robot, epoch, received, durable } = position;
    if (robot !== this.#options.robot) return;
    const wasHeld = this.#ask(position);
    // Another learner, or one that began anew, knows nothing of this stream.
    const known = epoch === source.epoch ? received : 0n;
    if (epoch === source.epoch) source.confirm(durable);
    // What came while nothing was taken, or is lost, must be sent again.
    const { again = false } = position;
    if (this.#received !== undefined && known > this.#received) this.#progress(known, nowMs());
    const isBehind = this.#received === undefined || known < this.#received;
    if (isBehind || again || (wasHeld && !this.isHeld)) this.#rewind(known);
    this.#received = known;
    this.#underWay = this.#underWay.filter(({ upTo }) => upTo > known);
    if (this.#sent < known) this.#sent = known;
    this.pump();
  }

  /** The link is there again: what was under way may be lost, and is sent again. */
  resume(): void {
    if (this.#received === undefined) return;
    this.#rewind(this.#received);
    this.pump();
  }

  /** Sends what may be sent now. To be called when a record was written, and a few times per second. */
  pump(): void {
    const { source, robot, publish, batchBytes, nowMs } = this.#options;
    if (this.#received === undefined || this.isHeld) return;
    const now = nowMs();
    const { gatherMs, windowBytes, retryMs } = this.#limits();
    if (now - this.#publishedMs < gatherMs && source.last - this.#sent < MANY) return;
    this.#allowance.refill(now);
    if (this.#underWay.length > 0 && now - this.#progressMs > retryMs * 2 ** Math.min(this.#repeats, MOST_DOUBLINGS)) {
      this.#repeats += 1;
      this.#rewind(this.#received);
    }
    this.#isIdle = false;
    let bytes = this.#underWay.reduce((sum, each) => sum + each.bytes, 0);
    // A window that is smaller than a batch would be overrun by each.
    const most = Math.min(batchBytes, windowBytes);
    while (this.#sent < source.last && bytes < windowBytes && this.#allowance.isLeft) {
      const { previous, records } = source.read(this.#sent, most);
      const upTo = records.at(-1)?.sequence;
      if (upTo === undefined) {
        // A spool that was opened again is further on than its last record.
        this.#isIdle = true;
        return;
      }
      const size = records.reduce((sum, { payload }) => sum + payload.length + 32, 0);
      if (this.#underWay.length === 0) this.#progressMs = now;
      this.#underWay.push({ upTo, bytes: size, sentMs: now });
      this.#sent = upTo;
      bytes += size;
      this.#allowance.take(size);
      this.#publishedMs = now;
      publish({
        robot,
        epoch: source.epoch,
        previous,
        records: records.map(({ sequence, topic, payload }) => ({ sequence, topic, payload })),
      });
    }
    this.#isIdle = this.#sent >= source.last;
  }

  /**
   * More has arrived. Only what was sent once tells how long the way takes: of what was sent twice nobody knows which one has
   * arrived (Karn and Partridge, 1987).
   */
  #progress(known: bigint, now: number): void {
    this.#progressMs = now;
    this.#repeats = 0;
    const last = this.#underWay.findLast(({ upTo }) => upTo <= known);
    if (last === undefined || last.upTo <= this.#repeatedUpTo) return;
    this.#roundTripMs = Math.max(now - last.sentMs, FORGET * this.#roundTripMs);
  }

  /** Notes what the learner's side asks for. Gives whether it had asked for nothing to be sent. */
  #ask({ gather_ms = 0, status_ms = 0, window_bytes = 0, hold = false }: Partial<StreamPosition>): boolean {
    const { hold: before } = this.#asked;
    const windowBytes = window_bytes === 0 ? Number.POSITIVE_INFINITY : window_bytes;
    this.#asked = { gatherMs: Math.min(gather_ms, LONGEST_GATHER_MS), statusMs: status_ms, windowBytes, hold };
    if (hold) this.#isIdle = false;
    return before;
  }

  /** The robot's own settings, and what the learner's side asks for. */
  #limits(): Pick<Required<SenderOptions>, 'gatherMs' | 'windowBytes' | 'retryMs'> {
    const { gatherMs, windowBytes, retryMs } = this.#options;
    const asked = this.#asked;
    return {
      gatherMs: Math.max(gatherMs, asked.gatherMs),
      windowBytes: Math.min(windowBytes, asked.windowBytes),
      // Positions come as seldom as statuses, and late where the learner is busy.
      retryMs: Math.max(retryMs, PATIENCE * asked.statusMs, PATIENCE * this.#roundTripMs),
    };
  }

  #rewind(to: bigint): void {
    if (this.#sent > this.#repeatedUpTo) this.#repeatedUpTo = this.#sent;
    this.#sent = to;
    this.#underWay = [];
    this.#progressMs = this.#options.nowMs();
  }
}
