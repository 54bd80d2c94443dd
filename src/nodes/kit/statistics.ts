import type { SteadyClock } from '../../common/index.js';

const WINDOW_NS = 500_000_000n;

/** How often something happens, over the time since it was last asked (at least half a second). */
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

/** The largest of what was seen since it was last asked. */
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
