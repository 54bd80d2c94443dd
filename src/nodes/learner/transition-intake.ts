import type { ObservationSpec } from '../../common/index.js';
import type { Transition } from '../../messages/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';
import { SequenceTracker } from '../kit/sequence-tracker.js';
import { transitionObservations } from '../kit/transition-observation.js';

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
  /** The sender of the transition before: usually that of the next, too. */
  #last: { readonly robot: string; readonly session: string; readonly sender: Sender } | undefined;
  readonly #observation: ObservationSpec;
  #open: Transition[] = [];
  #refused = 0;
  #foreign = 0;

  constructor(options: TransitionIntakeOptions) {
    this.#options = options;
    this.#observation = observationOf(options.spec);
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
    if (!isSound(transition, this.#observation, spec.action.length)) {
      this.#refused++;
      onRefused(transition);
      return false;
    }
    const sequence = Number(transition.sequence);
    const segment = Math.floor(sequence / segmentSize);
    if (segment > sender.segment) {
      this.#close();
      sender.segment = segment;
    }
    this.#open.push(transition);
    if ((sequence + 1) % segmentSize === 0) {
      this.#close();
      sender.segment = segment + 1;
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
    const robot = this.#options.robotOf?.(transition) ?? '';
    if (session === this.#last?.session && robot === this.#last.robot) return this.#last.sender;
    // Robots of one fleet may name their runs alike.
    const name = `${robot} ${session}`;
    let sender = this.#senders.get(name);
    if (sender === undefined) {
      sender = { sequences: new SequenceTracker(), segment: Math.floor(Number(sequence) / this.#options.segmentSize) };
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
