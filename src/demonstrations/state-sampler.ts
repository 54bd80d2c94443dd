import type { BlockArray, PerBlock } from '../common/index.js';
import { createObservationAssembler, type ObservationAssembler, type RobotSpec } from '../robot/index.js';
import { overdueNs } from './stamp-order.js';
import type { TimedMessage } from './timeline.js';

/** Observations at ticks, from the messages of the state topics, by the code that makes them live. */
export class StateSampler {
  /** When every topic has published: the first tick. Null if all topics are published only once. */
  readonly originNs: bigint | null;
  readonly #messages: readonly TimedMessage[];
  readonly #assembler: ObservationAssembler;
  /** By topic; topics without a timeout are never overdue. */
  readonly #overdueNs: ReadonlyMap<string, number>;
  /** Topics whose newest message was refused. */
  readonly #refused = new Set<string>();
  #next = 0;

  /** `messages` are in order of their stamps. Null if a topic has no message at all. */
  static of(messages: readonly TimedMessage[], spec: RobotSpec): StateSampler | null {
    const overdue = new Map<string, number>();
    let originNs: bigint | null = null;
    for (const { topic, timeoutMs } of spec.stateTopics) {
      const stamps = messages.filter((item) => item.topic === topic).map(({ stampNs }) => stampNs);
      if (stamps[0] === undefined) return null;
      if (timeoutMs === Number.POSITIVE_INFINITY) continue;
      overdue.set(topic, overdueNs(stamps, 1e9 / spec.rateHz, timeoutMs * 1e6));
      if (originNs === null || stamps[0] > originNs) originNs = stamps[0];
    }
    return new StateSampler(messages, spec, overdue, originNs);
  }

  private constructor(
    messages: readonly TimedMessage[],
    spec: RobotSpec,
    overdue: ReadonlyMap<string, number>,
    originNs: bigint | null,
  ) {
    this.#messages = messages;
    this.#assembler = createObservationAssembler(spec);
    this.#overdueNs = overdue;
    this.originNs = originNs;
  }

  /** The observation of a tick, made from the newest messages with stamps up to `untilNs`. Ticks must be asked for in order. */
  at(tickNs: bigint, untilNs: bigint): PerBlock<BlockArray> | 'state missing' | 'state refused' {
    const newestNs = this.#acceptUntil(tickNs, untilNs);
    if (this.#refused.size > 0) return 'state refused';
    const late = this.#lateTopic(tickNs);
    if (late !== undefined) return this.#assembler.problemOf(late) === null ? 'state missing' : 'state refused';
    const assembled = this.#assembler.assemble(newestNs);
    return assembled.ok ? assembled.observation : 'state missing';
  }

  /** Gives messages to the assembler; returns the newest stamp among them, at least `tickNs`. */
  #acceptUntil(tickNs: bigint, untilNs: bigint): bigint {
    let newestNs = tickNs;
    for (let item = this.#messages[this.#next]; item !== undefined && item.stampNs <= untilNs; ) {
      const { topic, message, stampNs } = item;
      if (message === null) this.#refused.add(topic);
      else if (this.#assembler.accept(topic, message, stampNs, stampNs)) this.#refused.delete(topic);
      // A message that is of no use, but says nothing against the topic, is another publisher's.
      else if (this.#assembler.problemOf(topic) !== null) this.#refused.add(topic);
      if (stampNs > newestNs) newestNs = stampNs;
      item = this.#messages[++this.#next];
    }
    return newestNs;
  }

  #lateTopic(tickNs: bigint): string | undefined {
    for (const [topic, limitNs] of this.#overdueNs) {
      const stampNs = this.#assembler.stamps.get(topic);
      if (stampNs === undefined || Number(tickNs - stampNs) >= limitNs) return topic;
    }
    return undefined;
  }
}
