import type { Transition } from '../../messages/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';
import { SequenceTracker } from '../kit/sequence-tracker.js';
import { transitionObservations } from '../kit/transition-observation.js';

/** The sender of one session's transitions. */
interface Sender {
  readonly sequences: SequenceTracker;
  /** Number of the segment that its last transition belongs to. */
  segment: bigint;
}

export interface TransitionIntakeOptions {
  readonly spec: Pick<RobotSpec, 'robot' | 'observation' | 'blocks' | 'action'>;
  /** Transitions per segment. */
  readonly segmentSize: number;
  /** Senders that are remembered; the oldest is forgotten. */
  readonly maxSessions: number;
  /** The robot of a fleet that sends a transition; '' where there is no fleet. */
  readonly robotOf?: (transition: Transition) => string;
  /** Takes the transitions of a segment that is complete, in the order they came. */
  readonly onSegment: (transitions: readonly Transition[]) => void;
  /** Called for a transition whose vectors have a wrong length or numbers that are not finite. */
  readonly onRefused: (transition: Transition) => void;
}

/**
 * Sorts what arrives on /transitions into segments. Duplicates, transitions of other robots and bad numbers are counted
 * and go no further.
 *
 * Segments are cut by sequence number and not by count: a sender that counts the same way knows which of its transitions
 * each policy has learned from, even where one of them got lost.
 */
export class TransitionIntake {
  readonly #options: TransitionIntakeOptions;
  readonly #senders = new Map<string, Sender>();
  #open: Transition[] = [];
  #refused = 0;
  #foreign = 0;

  constructor(options: TransitionIntakeOptions) {
    this.#options = options;
  }

  /** Transitions of the segment that is not complete yet. */
  get open(): number {
    return this.#open.length;
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
    const sender = this.#senderOf(transition);
    if (!sender.sequences.accept(transition.sequence)) return false;
    if (!isSound(transition, spec)) {
      this.#refused++;
      onRefused(transition);
      return false;
    }
    const size = BigInt(segmentSize);
    const segment = transition.sequence / size;
    if (segment > sender.segment) {
      this.#close();
      sender.segment = segment;
    }
    this.#open.push(transition);
    if ((transition.sequence + 1n) % size === 0n) {
      this.#close();
      sender.segment = segment + 1n;
    }
    return true;
  }

  #close(): void {
    if (this.#open.length === 0) return;
    const transitions = this.#open;
    this.#open = [];
    this.#options.onSegment(transitions);
  }

  #senderOf(transition: Transition): Sender {
    const { session, sequence } = transition;
    // Robots of one fleet may name their runs alike.
    const name = `${this.#options.robotOf?.(transition) ?? ''} ${session}`;
    let sender = this.#senders.get(name);
    if (sender === undefined) {
      sender = { sequences: new SequenceTracker(), segment: sequence / BigInt(this.#options.segmentSize) };
      this.#senders.set(name, sender);
      if (this.#senders.size > this.#options.maxSessions) {
        const [oldest] = this.#senders.keys();
        this.#senders.delete(oldest!);
      }
    }
    return sender;
  }

  #sum(count: (sequences: SequenceTracker) => bigint): bigint {
    let sum = 0n;
    for (const { sequences } of this.#senders.values()) sum += count(sequences);
    return sum;
  }
}

/** Whether the vectors have the robot's lengths and every number is finite. */
function isSound(transition: Transition, spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action'>): boolean {
  const { action } = transition;
  if (action.length !== spec.action.length || !action.every((value: number) => Number.isFinite(value))) return false;
  try {
    transitionObservations(observationOf(spec), transition);
    return true;
  } catch {
    return false;
  }
}
