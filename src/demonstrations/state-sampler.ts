import type { BlockArray, PerBlock } from '../common/index.js';
import type { TFMessage } from '../messages/index.js';
import { createObservationAssembler, type ObservationAssembler, type RobotSpec } from '../robot/index.js';
import { overdueNs } from './stamp-order.js';
import type { TickLoss } from './tick.js';
import type { TimedMessage } from './timeline.js';

/** The observation of a tick, or why there is none. */
export type Seen =
  | { readonly observation: PerBlock<BlockArray>; readonly loss: null }
  | { readonly observation: null; readonly loss: TickLoss };

const unseen = (problem: TickLoss['problem'], reason: string): Seen => ({
  observation: null,
  loss: { problem, reason },
});

/** Observations at ticks, from the messages of the state topics, by the code that makes them live. */
export class StateSampler {
  /** When every topic has published: the first tick. Null if all topics are published only once. */
  readonly originNs: bigint | null;
  readonly #messages: readonly TimedMessage[];
  readonly #assembler: ObservationAssembler;
  /** By topic; topics without a timeout are never overdue. */
  readonly #overdueNs: ReadonlyMap<string, number>;
  /** Topics whose newest message was refused, and why. */
  readonly #refused = new Map<string, string>();
  readonly #transforms: ReadonlySet<string>;
  #next = 0;

  /**
   * `messages` are in order of their stamps; every state topic has at least one. `transforms`: what /tf_static said in all
   * of the recording.
   */
  static of(
    messages: readonly TimedMessage[],
    spec: RobotSpec,
    transforms: readonly TimedMessage[] = [],
  ): StateSampler {
    const overdue = new Map<string, number>();
    let originNs: bigint | null = null;
    for (const { topic, timeoutMs } of spec.stateTopics) {
      if (timeoutMs === Number.POSITIVE_INFINITY) continue;
      const own = messages.filter((item) => item.topic === topic);
      overdue.set(topic, overdueOf(own, 1e9 / spec.rateHz, timeoutMs * 1e6));
      if (originNs === null || own[0]!.stampNs > originNs) originNs = own[0]!.stampNs;
    }
    const sampler = new StateSampler(messages, spec, overdue, originNs);
    for (const { message } of transforms) sampler.#assembler.acceptTransforms(message as TFMessage, true);
    return sampler;
  }

  private constructor(
    messages: readonly TimedMessage[],
    spec: RobotSpec,
    overdue: ReadonlyMap<string, number>,
    originNs: bigint | null,
  ) {
    this.#messages = messages;
    this.#assembler = createObservationAssembler(spec);
    this.#transforms = new Set(this.#assembler.transformTopics.map(({ topic }) => topic));
    this.#overdueNs = overdue;
    this.originNs = originNs;
  }

  /** The observation of a tick, made from the newest messages with stamps up to `untilNs`. Ticks must be asked for in order. */
  at(tickNs: bigint, untilNs: bigint): Seen {
    const newestNs = this.#acceptUntil(tickNs, untilNs);
    const [refused] = this.#refused.values();
    const loss =
      refused === undefined ? this.#lateTopic(tickNs) : { problem: 'state refused' as const, reason: refused };
    if (loss !== undefined) {
      this.#assembler.cut();
      return { observation: null, loss };
    }
    const assembled = this.#assembler.assemble(newestNs);
    return assembled.ok ? { observation: assembled.observation, loss: null } : unseen('state missing', assembled.text);
  }

  /** Takes the command of the tick that was asked for last; null if there is none. */
  executed(command: Float32Array | null): void {
    if (command !== null) this.#assembler.executed(command);
  }

  /** Gives messages to the assembler; returns the newest stamp among them, at least `tickNs`. */
  #acceptUntil(tickNs: bigint, untilNs: bigint): bigint {
    let newestNs = tickNs;
    for (let item = this.#messages[this.#next]; item !== undefined && item.stampNs <= untilNs; ) {
      const { topic, message, stampNs } = item;
      if (this.#transforms.has(topic)) {
        for (const state of this.#assembler.acceptTransforms(message as TFMessage, false)) this.#refused.delete(state);
      } else if (message === null) this.#refused.set(topic, contradiction(topic));
      else if (this.#assembler.accept(topic, message, stampNs, stampNs, stampNs)) this.#refused.delete(topic);
      else if (!this.#assembler.isWaiting(topic)) {
        // A message that is of no use, but says nothing against the topic, is another publisher's.
        const problem = this.#assembler.problemOf(topic);
        if (problem !== null) this.#refused.set(topic, problem);
      }
      if (stampNs > newestNs && !this.#transforms.has(topic)) newestNs = stampNs;
      item = this.#messages[++this.#next];
    }
    return newestNs;
  }

  #lateTopic(tickNs: bigint): TickLoss | undefined {
    for (const [topic, limitNs] of this.#overdueNs) {
      const stampNs = this.#assembler.stamps.get(topic);
      if (stampNs !== undefined && Number(tickNs - stampNs) < limitNs) continue;
      const problem = this.#assembler.problemOf(topic);
      if (problem !== null) return { problem: 'state refused', reason: problem };
      const last = stampNs === undefined ? 'no message yet' : 'no message for this control period';
      return {
        problem: 'state missing',
        reason: `${topic}: ${last}, expected one every ${(limitNs / 1e6).toFixed(0)} ms`,
      };
    }
    return undefined;
  }
}

function contradiction(topic: string): string {
  return `${topic}: two messages with the same stamp differ, expected a stamp of its own for each (--clock log takes the log times)`;
}

/** The age at which a topic counts as overdue; each of its parts has to come in that time. */
function overdueOf(messages: readonly TimedMessage[], periodNs: number, timeoutNs: number): number {
  const byPart = new Map<string, bigint[]>();
  for (const { part, stampNs } of messages) {
    const stamps = byPart.get(part);
    if (stamps === undefined) byPart.set(part, [stampNs]);
    else stamps.push(stampNs);
  }
  const parts = [...byPart.values()];
  const regular = parts.filter(({ length }) => length > 2);
  return Math.max(...(regular.length > 0 ? regular : parts).map((stamps) => overdueNs(stamps, periodNs, timeoutNs)));
}
