import type { BlockArray, PerBlock } from '../common/index.js';
import type { TFMessage } from '../messages/index.js';
import type { TransformTopic } from './frame-changes.js';
import type { CountedRefusal, Refusal } from './refusals.js';
import type { TopicSpec } from './types.js';

/** Counts of messages by what happened to them. All but `accepted` were dropped. */
export interface AssemblerCounters {
  readonly accepted: number;
  /** NaN or ±Inf where a number is needed. */
  readonly notFinite: number;
  /** A joint, list, beam or image is missing or cannot be read, and what was known before does not make up for it. */
  readonly incomplete: number;
  /** Messages on a topic of joints that name none of this robot's features: another publisher's. They are passed over. */
  readonly foreign: number;
  /** The same stamp and content as the message before. */
  readonly duplicates: number;
  /** An older stamp than the message before: late or reordered. */
  readonly reordered: number;
  /** Given in another frame than the description of the robot says, without a transform into that one. */
  readonly wrongFrame: number;
  /** Two publishers say different positions of one joint by turns: neither is believed. */
  readonly contradictory: number;
  /** Times that the clock of the stamps jumped, and history was dropped. */
  readonly clockJumps: number;
}

/** Why there is no observation. */
export interface NotAssembled {
  readonly ok: false;
  readonly reason: 'missing' | 'stale' | 'clock_jump';
  readonly topics: readonly string[];
  readonly text: string;
}

/** What is known of the state without making an observation of it. */
interface Sound {
  readonly ok: true;
  /** The newest stamp of the messages that the state is made from. */
  readonly stampNs: bigint;
  /** Time since the oldest of them arrived; topics without a timeout do not count. */
  readonly ageMs: number;
}

export type LookedAt = Sound | NotAssembled;

export type Assembled =
  | (Sound & {
      /**
       * The blocks of the observation (see `observationOf`). The block `state` has one number per feature, in the order
       * and units of the spec's observation, clamped to its limits.
       */
      readonly observation: PerBlock<BlockArray>;
    })
  | NotAssembled;

export interface AssemblerOptions {
  /** A stamp that goes back by more than this, or forward by this much more than time has passed, is a jump of the clock. Default 1000; at least 5 control periods. */
  readonly jumpMs?: number;
  /**
   * With simulated time, a message that repeats its last stamp means that time stands still (a pause, lockstep): it
   * counts as a duplicate but keeps the state fresh. Without simulated time (the default) it means that a driver hangs.
   */
  readonly simulatedTime?: boolean;
  /** Hears the first refusal of its kind: for a log that says it once. Later ones are only counted. */
  readonly onRefusal?: (refusal: Refusal) => void;
}

/** Turns the messages of the state topics into observations. The same code serves live and on recordings. */
export interface ObservationAssembler {
  /** Topics to subscribe to. */
  readonly topics: readonly TopicSpec[];
  /**
   * Takes a message, and returns whether it was used; one that cannot be used is dropped and counted. `receivedNs` is on
   * the same steady clock as the time given to `assemble` (for a recording: the log time). `arrivalNs` is the time of
   * arrival on the clock of the stamps: it stands in for the stamp of a message that has none (stamp 0, as
   * `ros2 topic pub` sends it, or no header); null where every message has one and 0 is a time like others.
   * `stampNs` replaces the stamp, for a recording whose clocks were put right. Throws NOT_FOUND for a topic that is not in
   * `topics`.
   */
  accept(topic: string, message: unknown, receivedNs: bigint, arrivalNs?: bigint | null, stampNs?: bigint): boolean;
  /**
   * The observation of a control period, to be asked for once in each: features of earlier periods are those of the
   * calls before. A history begins anew where there was no observation, where a period was missed, and after {@link cut}.
   */
  assemble(nowNs: bigint): Assembled;
  /** Whether there is an observation at this time, and how old the state is, as {@link assemble} would say, which it leaves as it is. */
  look(nowNs: bigint): LookedAt;
  /** Takes the command that was given after the last observation, of whoever it is: features of past actions are made of these. */
  executed(command: ArrayLike<number>): void;
  /** The next observation does not follow the last one: an episode begins. */
  cut(): void;
  /** Topics of transforms that poses in other frames need; none where the description names no frame of a pose. */
  readonly transformTopics: readonly TransformTopic[];
  /**
   * Takes a message of /tf or /tf_static. Returns the state topics of which a message that had waited for it was used
   * now, as {@link accept} would have said.
   */
  acceptTransforms(message: TFMessage, isStatic: boolean): readonly string[];
  /** The newest stamp of every topic that has one. */
  readonly stamps: ReadonlyMap<string, bigint>;
  /** Whether every topic has published a state of this instant or later; topics without a timeout need only have published once. */
  completeAt(stampNs: bigint): boolean;
  /** Forgets all messages (not the counters): between episodes. */
  reset(): void;
  /** Forgets the messages from before a jump of the clock, but for those of topics that are said once: they are still true. */
  clockJumped(): void;
  readonly counters: AssemblerCounters;
  /** Why messages were refused, each reason with its count and the first message as the example. */
  readonly refusals: readonly CountedRefusal[];
  /** The parts of a topic's state that a message is about; none if it names only joints of others. */
  partsOf(topic: string, message: unknown): readonly number[];
  /** Why the newest message of a topic was not used; null if it was. */
  problemOf(topic: string): string | null;
  /** Takes the reason why nothing of a topic's publisher arrives: it is said until a message is accepted. */
  cannotHear(topic: string, reason: string): void;
  /** Whether the newest message of a topic waits for a transform, which may still come. */
  isWaiting(topic: string): boolean;
  /** What {@link assemble} would say is missing or stale at this time; empty if nothing is. */
  waitingFor(nowNs: bigint): string;
}
