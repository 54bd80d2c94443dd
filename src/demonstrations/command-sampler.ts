import { IqLearnError } from '../common/index.js';
import { createActionMapper, type RobotSpec, type TopicSpec } from '../robot/index.js';
import { overdueNs } from './stamp-order.js';
import type { TickLoss } from './tick.js';
import type { TimedMessage } from './timeline.js';

/** Actions at ticks, from the messages of the action's topic (teleoperation or command). */
export class CommandSampler {
  readonly #messages: readonly TimedMessage[];
  readonly #read: (message: unknown) => Float32Array;
  readonly #overdueNs: number;
  #next = 0;
  #newest: TimedMessage | undefined;
  readonly #topic: string;
  readonly #silence: string;

  /** `messages` are in order of their stamps. */
  constructor(messages: readonly TimedMessage[], spec: RobotSpec, topic: TopicSpec) {
    this.#messages = messages;
    this.#topic = topic.topic;
    const mapper = createActionMapper(spec, topic);
    this.#read = (message) => mapper.fromMessage(message);
    this.#overdueNs = overdueNs(
      messages.map(({ stampNs }) => stampNs),
      1e9 / spec.rateHz,
      spec.teleop.timeoutMs * 1e6,
    );
    this.#silence = `${topic.topic}: no command, expected one every ${(this.#overdueNs / 1e6).toFixed(0)} ms`;
  }

  /** The action of the newest message with a stamp up to `untilNs`. Ticks must be asked for in order. */
  at(tickNs: bigint, untilNs: bigint): Float32Array | TickLoss {
    while (this.#next < this.#messages.length && this.#messages[this.#next]!.stampNs <= untilNs)
      this.#newest = this.#messages[this.#next++];
    if (this.#newest === undefined || Number(tickNs - this.#newest.stampNs) >= this.#overdueNs)
      return { problem: 'command missing', reason: this.#silence };
    if (this.#newest.message === null)
      return { problem: 'command refused', reason: `${this.#topic}: two messages with the same stamp differ` };
    try {
      return this.#read(this.#newest.message);
    } catch (error) {
      if (error instanceof IqLearnError)
        return { problem: 'command refused', reason: `${this.#topic}: ${error.message}` };
      throw error;
    }
  }
}
