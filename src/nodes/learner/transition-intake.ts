import type { ObservationSpec } from '../../common/index.js';
import { fact, type Transition } from '../../messages/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';
import { SequenceTracker } from '../kit/sequence-tracker.js';
import { transitionObservations } from '../kit/transition-observation.js';
import { addSlice, isSlice, type RobotSlice, type TransitionPiece } from '../kit/transition-pieces.js';

/** The sender of one session's transitions. */
interface Sender {
  readonly sequences: SequenceTracker;
  /** Number of the segment that its last transition belongs to. */
  segment: number;
}

export interface TransitionIntakeOptions {
  readonly spec: Pick<RobotSpec, 'robot' | 'observation' | 'blocks' | 'action'>;
  /** Transitions per segment. */
  readonly segmentSize: number;
  /** Senders that are remembered; the oldest is forgotten. */
  readonly maxSessions: number;
  /** The robot of a fleet that sends a transition; '' where there is no fleet. */
  readonly robotOf?: (transition: Transition) => string;
  /** Whether there is a fleet; not if it is not given. */
  readonly isFleet?: () => boolean;
  /** Takes the transitions of a segment that is complete, in the order they came: those that are messages, and all. */
  readonly onSegment: (transitions: readonly Transition[], all: readonly TransitionPiece[]) => void;
  /** Called for a transition whose vectors have a wrong length or numbers that are not finite. */
  readonly onRefused: (transition: Transition) => void;
}

/**
 * Sorts what arrives on /transitions into segments. Duplicates, transitions of other robots and bad numbers are counted
 * and go no further.
 *
 * Segments of one robot are cut by sequence number and not by count: a sender that counts the same way knows which of its
 * transitions each policy has learned from, even where one of them got lost. Those of a fleet are cut by count: a thousand
 * robots that were started together would end their segments together.
 */
export class TransitionIntake {
  readonly #options: TransitionIntakeOptions;
  readonly #senders = new Map<string, Sender>();
  /** The sender of the transition before: usually that of the next, too. */
  #last: { readonly robot: string; readonly session: string; readonly sender: Sender } | undefined;
  readonly #observation: ObservationSpec;
  #open: TransitionPiece[] = [];
  #openCount = 0;
  #refused = 0;
  #foreign = 0;

  constructor(options: TransitionIntakeOptions) {
    this.#options = options;
    this.#observation = observationOf(options.spec);
  }

  get #isFleet(): boolean {
    return this.#options.isFleet?.() ?? false;
  }

  /** Transitions of the segment that is not complete yet. */
  get open(): number {
    return this.#openCount;
  }

  /** Transitions with a wrong length or numbers that are not finite. */
  get refused(): number {
    return this.#refused;
  }

  /** Transitions of other robots. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Sequence numbers that have not come. */
  get missing(): bigint {
    return this.#sum(({ missing }) => missing);
  }

  get duplicates(): bigint {
    return this.#sum(({ duplicates }) => duplicates);
  }

  /** Returns true if the transition is new and sound, and so belongs to a segment now. */
  take(transition: Transition): boolean {
    const { spec, segmentSize, onRefused } = this.#options;
    if (transition.robot !== spec.robot) {
      this.#foreign++;
      return false;
    }
    const { session, sequence } = transition;
    const sender = this.#senderOf(this.#options.robotOf?.(transition) ?? '', session, Number(sequence));
    if (!sender.sequences.accept(sequence)) return false;
    if (!isSound(transition, this.#observation, spec.action.length)) {
      this.#refused++;
      onRefused(transition);
      return false;
    }
    if (!this.#isFleet) this.#begin(sender, Math.floor(Number(sequence) / segmentSize));
    this.#open.push(transition);
    this.#openCount++;
    if (this.#isFleet) this.#closeFull();
    else this.#endAfter(sender, Number(sequence));
    return true;
  }

  /**
   * Takes transitions in rows, which are of this robot and sound: those of one session whose sequence numbers follow on each
   * other. Returns what is new of them, in order.
   */
  takeSlice(slice: RobotSlice): readonly RobotSlice[] {
    const { rows, from, to, robot } = slice;
    const first = rows.fact(from, fact.sequence);
    const sender = this.#senderOf(robot, rows.sessions[from]!, first);
    if (sender.sequences.acceptRun(BigInt(first), to - from)) {
      this.#push(sender, slice);
      return [slice];
    }
    const fresh: RobotSlice[] = [];
    for (let row = from; row < to; row++) {
      if (!sender.sequences.accept(BigInt(rows.fact(row, fact.sequence)))) continue;
      const one = { rows, from: row, to: row + 1, robot };
      this.#push(sender, one);
      fresh.push(one);
    }
    return fresh;
  }

  /** Puts a slice into segments, cut where they end. */
  #push(sender: Sender, { rows, from, to, robot }: RobotSlice): void {
    const { segmentSize } = this.#options;
    if (this.#isFleet) {
      for (let row = from; row < to; ) {
        const count = Math.min(to - row, segmentSize - this.#openCount);
        addSlice(this.#open, { rows, from: row, to: row + count, robot });
        this.#openCount += count;
        this.#closeFull();
        row += count;
      }
      return;
    }
    const last = rows.fact(to - 1, fact.sequence);
    for (let row = from; row < to; ) {
      const sequence = rows.fact(row, fact.sequence);
      const segment = Math.floor(sequence / segmentSize);
      const count = Math.min(to - row, (segment + 1) * segmentSize - sequence);
      this.#begin(sender, segment);
      addSlice(this.#open, { rows, from: row, to: row + count, robot });
      this.#openCount += count;
      this.#endAfter(sender, Math.min(last, sequence + count - 1));
      row += count;
    }
  }

  /** The next transition of the sender is of this segment: one before it ends here. */
  #begin(sender: Sender, segment: number): void {
    if (segment <= sender.segment) return;
    this.#close();
    sender.segment = segment;
  }

  /** Ends the segment whose last sequence number this is. */
  #endAfter(sender: Sender, sequence: number): void {
    const { segmentSize } = this.#options;
    if ((sequence + 1) % segmentSize !== 0) return;
    this.#close();
    sender.segment = Math.floor(sequence / segmentSize) + 1;
  }

  #closeFull(): void {
    if (this.#openCount >= this.#options.segmentSize) this.#close();
  }

  #close(): void {
    if (this.#openCount === 0) return;
    const pieces = this.#open;
    this.#open = [];
    this.#openCount = 0;
    const messages = pieces.filter((piece): piece is Transition => !isSlice(piece));
    this.#options.onSegment(messages, pieces);
  }

  #senderOf(robot: string, session: string, sequence: number): Sender {
    if (session === this.#last?.session && robot === this.#last.robot) return this.#last.sender;
    // Robots of one fleet may name their runs alike.
    const name = `${robot} ${session}`;
    let sender = this.#senders.get(name);
    if (sender === undefined) {
      sender = { sequences: new SequenceTracker(), segment: Math.floor(sequence / this.#options.segmentSize) };
      this.#senders.set(name, sender);
      if (this.#senders.size > this.#options.maxSessions) {
        const [oldest] = this.#senders.keys();
        this.#senders.delete(oldest!);
      }
    }
    this.#last = { robot, session, sender };
    return sender;
  }

  #sum(count: (sequences: SequenceTracker) => bigint): bigint {
    let sum = 0n;
    for (const { sequences } of this.#senders.values()) sum += count(sequences);
    return sum;
  }
}

/** Whether the vectors have the robot's lengths and every number is finite. */
function isSound(transition: Transition, observation: ObservationSpec, actionSize: number): boolean {
  const { action } = transition;
  if (action.length !== actionSize || !action.every((value: number) => Number.isFinite(value))) return false;
  try {
    transitionObservations(observation, transition);
    return true;
  } catch {
    return false;
  }
}
