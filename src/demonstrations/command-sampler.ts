import { clamp, IqLearnError } from '../common/index.js';
import {
  type ActionMapper,
  createActionMapper,
  RivalCommands,
  type RobotPart,
  type RobotSpec,
  robotParts,
  type TopicSpec,
} from '../robot/index.js';
import { overdueNs } from './stamp-order.js';
import type { TickLoss } from './tick.js';
import type { TimedMessage } from './timeline.js';

/** The command of one topic at a tick: its numbers, that it is silent (nobody commands this part), or what it lacks. */
type Heard = Float32Array | 'silent' | TickLoss;

/** The commands of one topic at ticks. */
class TopicSampler {
  readonly part: RobotPart;
  readonly #messages: readonly TimedMessage[];
  readonly #mapper: ActionMapper;
  readonly #timeoutNs: number;
  readonly #overdueNs: number;
  #next = 0;
  #newest: TimedMessage | undefined;
  /** What two publishers say of one joint by turns; null where they do not. */
  #contradiction: string | null = null;
  readonly #topic: string;
  readonly silence: TickLoss;
  readonly #rivals: RivalCommands;

  constructor(messages: readonly TimedMessage[], part: RobotPart, { topic }: TopicSpec, mapper: ActionMapper) {
    const { rateHz, action } = part.spec;
    this.#rivals = new RivalCommands(topic, action);
    this.part = part;
    this.#messages = messages;
    this.#topic = topic;
    this.#mapper = mapper;
    this.#timeoutNs = part.command.teleop.timeoutMs * 1e6;
    this.#overdueNs = overdueNs(
      messages.map(({ stampNs }) => stampNs),
      1e9 / rateHz,
      this.#timeoutNs,
    );
    const every = (this.#overdueNs / 1e6).toFixed(0);
    this.silence = { problem: 'command missing', reason: `${topic}: no command, expected one every ${every} ms` };
  }

  at(tickNs: bigint, untilNs: bigint): Heard {
    while (this.#next < this.#messages.length && this.#messages[this.#next]!.stampNs <= untilNs) {
      this.#newest = this.#messages[this.#next++]!;
      this.#compare(this.#newest);
    }
    const newest = this.#newest;
    if (newest === undefined) return 'silent';
    const sinceNs = Number(tickNs - newest.stampNs);
    const { message } = newest;
    try {
      // A trajectory is followed up to its last point, however long ago it was said.
      const lastsNs = message === null ? 0 : this.#mapper.lasts(message) * 1e9;
      if (sinceNs >= this.#timeoutNs + lastsNs) return 'silent';
      if (sinceNs >= this.#overdueNs + lastsNs) return this.silence;
      if (message === null)
        return { problem: 'command refused', reason: `${this.#topic}: two messages with the same stamp differ` };
      if (this.#contradiction !== null) return { problem: 'command refused', reason: this.#contradiction };
      return this.#mapper.fromMessage(message, sinceNs / 1e9);
    } catch (error) {
      if (error instanceof IqLearnError)
        return { problem: 'command refused', reason: `${this.#topic}: ${error.message}` };
      throw error;
    }
  }

  /** Hears every message, also those between two ticks: of two publishers, ticks may see one alone. */
  #compare({ message, stampNs }: TimedMessage): void {
    if (message === null || this.#rivals.isIdle) return;
    let action: Float32Array;
    try {
      action = this.#mapper.fromMessage(message);
    } catch {
      return; // The tick that it counts for says what is wrong with it.
    }
    this.#contradiction = this.#rivals.take(action, stampNs);
  }
}

/** Actions at ticks, from the messages of the topics that carry the actions (teleoperation or command). */
export class CommandSampler {
  readonly #spec: RobotSpec;
  readonly #topics: readonly TopicSampler[];
  /** The last command of each number; NaN before the first. */
  readonly #last: Float32Array;

  /** `messages` are in order of their stamps; `topics` has one topic for each command of the robot. */
  constructor(messages: readonly TimedMessage[], spec: RobotSpec, topics: readonly TopicSpec[]) {
    this.#spec = spec;
    this.#topics = robotParts(spec).map((part, i) => {
      const topic = topics[i]!;
      const own = messages.filter((message) => message.topic === topic.topic);
      return new TopicSampler(own, part, topic, createActionMapper(part.spec, topic));
    });
    this.#last = new Float32Array(spec.action.length).fill(Number.NaN);
  }

  /**
   * The action of the newest messages with stamps up to `untilNs`. Ticks must be asked for in order. As on a live robot, a
   * part that nobody commands rests: velocities are 0, positions stay at the last command. Where nobody commands any
   * part, there is no action.
   */
  at(tickNs: bigint, untilNs: bigint): Float32Array | TickLoss {
    const heard = this.#topics.map((topic) => topic.at(tickNs, untilNs));
    const loss = heard.find((each) => each !== 'silent' && !(each instanceof Float32Array)) as TickLoss | undefined;
    heard.forEach((values, k) => {
      const { at } = this.#topics[k]!.part;
      if (values instanceof Float32Array)
        at.forEach((i, j) => {
          this.#last[i] = values[j]!;
        });
      else
        for (const i of at) {
          const { stop, low, high } = this.#spec.action[i]!;
          if (stop === 'zero') this.#last[i] = clamp(0, low, high);
        }
    });
    if (loss !== undefined) return loss;
    if (heard.every((each) => each === 'silent')) return this.#topics[0]!.silence;
    const unknown = this.#topics.find(({ part: { at } }) => at.some((i) => Number.isNaN(this.#last[i])));
    return unknown === undefined ? this.#last.slice() : unknown.silence;
  }
}
