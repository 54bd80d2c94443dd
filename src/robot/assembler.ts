import {
  type BlockArray,
  clamp,
  describeObservation,
  IqLearnError,
  type PerBlock,
  unknownName,
} from '../common/index.js';
import { type Header, nanosecondsOf } from '../messages/index.js';
import { AssemblyPlan } from './assembly-plan.js';
import type { TopicState } from './topic-state.js';
import type { RobotSpec, TopicSpec } from './types.js';

/** Counts of messages by what happened to them. All but `accepted` were dropped. */
export interface AssemblerCounters {
  readonly accepted: number;
  /** NaN or ±Inf where a number is needed. */
  readonly notFinite: number;
  /** A joint, list or beam is missing. */
  readonly incomplete: number;
  /** The same stamp as the message before. */
  readonly duplicates: number;
  /** An older stamp than the message before: late or reordered. */
  readonly reordered: number;
  /** Given in another frame than the description of the robot says. */
  readonly wrongFrame: number;
  /** Times that the clock of the stamps jumped, and history was dropped. */
  readonly clockJumps: number;
}

export type Assembled =
  | {
      readonly ok: true;
      /**
       * The blocks of the observation (see `observationOf`). The block `state` has one number per feature, in the order
       * and units of the spec's observation, clamped to its limits.
       */
      readonly observation: PerBlock<BlockArray>;
      /** The newest stamp of the messages that it was made from. */
      readonly stampNs: bigint;
      /** Time since the oldest of them arrived; topics without a timeout do not count. */
      readonly ageMs: number;
    }
  | {
      readonly ok: false;
      readonly reason: 'missing' | 'stale' | 'clock_jump';
      readonly topics: readonly string[];
      readonly text: string;
    };

export interface AssemblerOptions {
  /** A stamp that goes back by more than this, or forward by this much more than time has passed, is a jump of the clock. Default 1000; at least 5 control periods. */
  readonly jumpMs?: number;
  /**
   * With simulated time, a message that repeats its last stamp means that time stands still (a pause, lockstep): it
   * counts as a duplicate but keeps the state fresh. Without simulated time (the default) it means that a driver hangs.
   */
  readonly simulatedTime?: boolean;
}

/** Turns the messages of the state topics into observations. The same code serves live and on recordings. */
export interface ObservationAssembler {
  /** Topics to subscribe to. */
  readonly topics: readonly TopicSpec[];
  /**
   * Takes a message; one that cannot be used is dropped and counted. `receivedNs` is on the same steady clock as the
   * time given to `assemble` (for a recording: the log time). Throws NOT_FOUND for a topic that is not in `topics`.
   */
  accept(topic: string, message: unknown, receivedNs: bigint): void;
  assemble(nowNs: bigint): Assembled;
  /** The newest stamp of every topic that has one. */
  readonly stamps: ReadonlyMap<string, bigint>;
  /** Whether every topic has published a state of this instant or later; topics without a timeout need only have published once. */
  completeAt(stampNs: bigint): boolean;
  /** Forgets all messages (not the counters): between episodes. */
  reset(): void;
  readonly counters: AssemblerCounters;
}

/** This many messages in a row with older stamps mean that the clock has gone back a little. */
const BACKWARD_STREAK = 5;

/**
 * Throws UNSUPPORTED for a robot that observes more than named numbers: no block is made of messages yet. Leaving it out
 * of the observations would train a policy on less than its contract says.
 */
export function createObservationAssembler(spec: RobotSpec, options: AssemblerOptions = {}): ObservationAssembler {
  const { robot, blocks = [] } = spec;
  if (blocks.length > 0)
    throw new IqLearnError('UNSUPPORTED', `${robot} observes a block that is not made of messages yet`, {
      found: describeObservation(blocks),
      expected: 'an observation of named numbers',
      remedy: 'leave the block out of the description; its topic may stay in state, where it is watched and recorded',
    });
  return new Assembler(spec, options);
}

class Assembler implements ObservationAssembler {
  readonly topics: readonly TopicSpec[];
  readonly stamps = new Map<string, bigint>();
  readonly #plan: AssemblyPlan;
  readonly #states: readonly TopicState[];
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #jumpNs: bigint;
  readonly #simulatedTime: boolean;
  readonly #counters = {
    accepted: 0,
    notFinite: 0,
    incomplete: 0,
    duplicates: 0,
    reordered: 0,
    wrongFrame: 0,
    clockJumps: 0,
  };
  #jumped: { topic: string; byMs: number } | null = null;

  constructor(spec: RobotSpec, { jumpMs = 1000, simulatedTime = false }: AssemblerOptions) {
    this.topics = spec.stateTopics;
    this.#simulatedTime = simulatedTime;
    this.#plan = new AssemblyPlan(spec);
    this.#states = [...this.#plan.states.values()];
    this.#low = Float64Array.from(spec.observation, ({ low }) => low);
    this.#high = Float64Array.from(spec.observation, ({ high }) => high);
    this.#jumpNs = BigInt(Math.round(Math.max(jumpMs, 5000 / spec.rateHz) * 1e6));
  }

  get counters(): AssemblerCounters {
    return { ...this.#counters };
  }

  accept(topic: string, message: unknown, receivedNs: bigint): void {
    const state = this.#plan.states.get(topic);
    if (state === undefined) throw unknownName('state topic', topic, [...this.#plan.states.keys()]);
    const { header } = message as { readonly header: Header };
    const { frameId } = state.spec;
    if (frameId !== undefined && header.frame_id !== frameId) {
      this.#counters.wrongFrame += 1;
      state.problem = `is given in the frame '${header.frame_id}', expected '${frameId}'`;
      return;
    }
    const stampNs = nanosecondsOf(header.stamp);
    if (!this.#isNext(state, stampNs, receivedNs)) return;
    const refused = state.read(message);
    if (refused !== null) {
      this.#counters[refused.kind] += 1;
      state.problem = refused.text;
      return;
    }
    this.#counters.accepted += 1;
    state.known = true;
    state.stampNs = stampNs;
    state.receivedNs = receivedNs;
    state.problem = null;
    state.backward = 0;
    this.stamps.set(topic, stampNs);
  }

  /** Whether a stamp follows the last one. After a jump of the clock all history is dropped, and any stamp follows. */
  #isNext(state: TopicState, stampNs: bigint, receivedNs: bigint): boolean {
    if (!state.known) return true;
    const step = stampNs - state.stampNs;
    const passed = receivedNs > state.receivedNs ? receivedNs - state.receivedNs : 0n;
    if (step === 0n) {
      this.#counters.duplicates += 1;
      if (this.#simulatedTime) state.receivedNs = receivedNs;
      else state.problem = 'repeats its last stamp';
      return false;
    }
    if (step < 0n && step >= -this.#jumpNs) {
      state.backward += 1;
      if (state.backward < BACKWARD_STREAK) {
        this.#counters.reordered += 1;
        return false;
      }
    } else if (step > 0n && step - passed <= this.#jumpNs) return true;
    this.#counters.clockJumps += 1;
    this.reset();
    this.#jumped = { topic: state.spec.topic, byMs: Number(step) / 1e6 };
    return true;
  }

  assemble(nowNs: bigint): Assembled {
    if (this.#jumped !== null) {
      const { topic, byMs } = this.#jumped;
      this.#jumped = null;
      return {
        ok: false,
        reason: 'clock_jump',
        topics: [topic],
        text: `the clock of ${topic} jumped by ${byMs} ms; what was known before is dropped`,
      };
    }
    let stampNs: bigint | undefined;
    let ageNs = 0n;
    for (const state of this.#states) {
      if (!state.known) return this.#missing();
      if (stampNs === undefined || state.stampNs > stampNs) stampNs = state.stampNs;
      if (state.timeoutNs === null) continue;
      const age = nowNs - state.receivedNs;
      if (age > state.timeoutNs) return this.#stale(nowNs);
      if (age > ageNs) ageNs = age;
    }
    this.#plan.update();
    const { features } = this.#plan;
    const observation = new Float32Array(features.length);
    for (let i = 0; i < features.length; i++) observation[i] = clamp(features[i]!(), this.#low[i]!, this.#high[i]!);
    return { ok: true, observation, stampNs: stampNs ?? 0n, ageMs: Number(ageNs) / 1e6 };
  }

  #missing(): Assembled {
    const states = this.#states.filter(({ known }) => !known);
    const text = states.map(({ spec, problem }) => `${spec.topic} ${problem ?? 'has not been heard'}`).join('; ');
    return { ok: false, reason: 'missing', topics: states.map(({ spec }) => spec.topic), text };
  }

  #stale(nowNs: bigint): Assembled {
    const states = this.#states.filter(
      ({ timeoutNs, receivedNs }) => timeoutNs !== null && nowNs - receivedNs > timeoutNs,
    );
    const text = states
      .map(({ spec, receivedNs, problem }) => {
        const ageMs = Number(nowNs - receivedNs) / 1e6;
        const why = problem === null ? '' : ` (since then it ${problem})`;
        return `${spec.topic} is ${ageMs.toFixed(0)} ms old, timeout ${spec.timeoutMs} ms${why}`;
      })
      .join('; ');
    return { ok: false, reason: 'stale', topics: states.map(({ spec }) => spec.topic), text };
  }

  completeAt(stampNs: bigint): boolean {
    for (const state of this.#states)
      if (!state.known || (state.timeoutNs !== null && state.stampNs < stampNs)) return false;
    return true;
  }

  reset(): void {
    for (const state of this.#states) state.forget();
    this.stamps.clear();
    this.#jumped = null;
  }
}
