import { IqLearnError } from '../common/index.js';
import { type ActionMapper, createActionMapper, type RobotSpec, type TopicSpec } from '../robot/index.js';
import { overdueNs } from './stamp-order.js';
import type { TickLoss } from './tick.js';
import type { TimedMessage } from './timeline.js';

/** Actions at ticks, from the messages of the action's topic (teleoperation or command). */
export class CommandSampler {
  readonly #messages: readonly TimedMessage[];
  readonly #mapper: ActionMapper;
  readonly #overdueNs: number;
  #next = 0;
  #newest: TimedMessage | undefined;
  readonly #topic: string;
  readonly #silence: string;

  /** `messages` are in order of their stamps. */
  constructor(messages: readonly TimedMessage[], spec: RobotSpec, topic: TopicSpec) {
    this.#messages = messages;
    this.#topic = topic.topic;
    this.#mapper = createActionMapper(spec, topic);
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
    const newest = this.#newest;
    if (newest === undefined) return { problem: 'command missing', reason: this.#silence };
    const sinceNs = Number(tickNs - newest.stampNs);
    const { message } = newest;
    try {
      // A trajectory is followed up to its last point, however long ago it was said.
      const lastsNs = message === null ? 0 : this.#mapper.lasts(message) * 1e9;
      if (sinceNs >= this.#overdueNs + lastsNs) return { problem: 'command missing', reason: this.#silence };
      if (message === null)
        return { problem: 'command refused', reason: `${this.#topic}: two messages with the same stamp differ` };
      return this.#mapper.fromMessage(message, sinceNs / 1e9);
    } catch (error) {
      if (error instanceof IqLearnError)
        return { problem: 'command refused', reason: `${this.#topic}: ${error.message}` };
      throw error;
    }
  }
}
