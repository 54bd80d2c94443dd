import type { SteadyClock } from '../../common/index.js';

/** Shortest time over which a rate is computed. */
const WINDOW_NS = 500_000_000n;

/** The rate of an event in Hz, over the time since the rate was last read (at least half a second). */
export class RateMeter {
  readonly #clock: SteadyClock;
  #count = 0;
  #sinceNs: bigint;
  #hz = 0;

  constructor(clock: SteadyClock) {
    this.#clock = clock;
    this.#sinceNs = clock.nowNs();
  }

  mark(): void {
    this.#count++;
  }

  get hz(): number {
    const now = this.#clock.nowNs();
    const passed = now - this.#sinceNs;
    if (passed >= WINDOW_NS) {
      this.#hz = (this.#count * 1e9) / Number(passed);
      this.#count = 0;
      this.#sinceNs = now;
    }
    return this.#hz;
  }
}

/** The largest value since it was last taken. */
export class PeakMeter {
  #peak = 0;

  see(value: number): void {
    if (value > this.#peak) this.#peak = value;
  }

  take(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }
}
