import type { SteadyClock } from '../../common/index.js';
import type { RobotSpec } from '../../robot/index.js';
import { RateMeter } from '../kit/statistics.js';

/** When the messages of state topics came. */
export class Arrivals {
  readonly #clock: SteadyClock;
  readonly #topics: RobotSpec['stateTopics'];
  readonly #arrivals = new Map<string, { readonly rate: RateMeter; lastNs: bigint }>();

  constructor(clock: SteadyClock, { stateTopics }: RobotSpec) {
    this.#clock = clock;
    this.#topics = stateTopics;
  }

  note(topic: string): void {
    const arrival = this.#arrivals.get(topic) ?? { rate: new RateMeter(this.#clock), lastNs: 0n };
    arrival.lastNs = this.#clock.nowNs();
    arrival.rate.mark();
    this.#arrivals.set(topic, arrival);
  }

  /** The rate of every topic that was heard, for diagnostics. */
  get rates(): Record<string, string> {
    return Object.fromEntries([...this.#arrivals].map(([topic, { rate }]) => [`${topic}_hz`, rate.hz.toFixed(1)]));
  }

  /** A sentence for each state topic that was never received, or not within its timeout. */
  get quiet(): string[] {
    const now = this.#clock.nowNs();
    return this.#topics.flatMap(({ topic, type, timeoutMs }) => {
      const arrival = this.#arrivals.get(topic);
      if (arrival === undefined) return [`${topic} has not been heard, expected ${type}`];
      const ageMs = Number(now - arrival.lastNs) / 1e6;
      return ageMs > timeoutMs ? [`${topic} is ${ageMs.toFixed(0)} ms old, timeout ${timeoutMs} ms`] : [];
    });
  }
}
