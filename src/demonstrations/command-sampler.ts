import { IqLearnError } from '../common/index.js';
import { createActionMapper, type RobotSpec, type TopicSpec } from '../robot/index.js';
import { overdueNs } from './stamp-order.js';
import type { TimedMessage } from './timeline.js';

/** Actions at ticks, from the messages of the action's topic (teleoperation or command). */
export class CommandSampler {
  readonly #messages: readonly TimedMessage[];
  readonly #read: (message: unknown) => Float32Array;
  readonly #overdueNs: number;
  #next = 0;
  #newest: TimedMessage | undefined;

  /** `messages` are in order of their stamps. */
  constructor(messages: readonly TimedMessage[], spec: RobotSpec, topic: TopicSpec) {
    this.#messages = messages;
    const mapper = createActionMapper(spec, topic);
    this.#read = (message) => mapper.fromMessage(message);
    this.#overdueNs = overdueNs(
      messages.map(({ stampNs }) => stampNs),
      1e9 / spec.rateHz,
      spec.teleop.timeoutMs * 1e6,
    );
  }

  /** The action of the newest message with a stamp up to `untilNs`. Ticks must be asked for in order. */
  at(tickNs: bigint, untilNs: bigint): Float32Array | 'command missing' | 'command refused' {
    while (this.#next < this.#messages.length && this.#messages[this.#next]!.stampNs <= untilNs)
      this.#newest = this.#messages[this.#next++];
    if (this.#newest === undefined || Number(tickNs - this.#newest.stampNs) >= this.#overdueNs)
      return 'command missing';
    if (this.#newest.message === null) return 'command refused';
    try {
      return this.#read(this.#newest.message);
    } catch (error) {
      if (error instanceof IqLearnError) return 'command refused';
      throw error;
    }
  }
}
