import type { SteadyClock } from '../../common/index.js';

/** Looks so often in the time of a budget: what is blocked for up to this share of it longer may pass. */
const LOOKS = 4;

export interface LoopWatchOptions {
  readonly clock: SteadyClock;
  readonly budgetMs: number;
  /** The event loop was blocked for longer than the budget, about so long. */
  readonly blocked: (ms: number) => void;
}

/**
 * Notices that the event loop was blocked, before anything else is done with what is old by then: whoever acts asks
 * {@link look} first, as what has arrived may run before timers do.
 */
export class LoopWatch {
  readonly #options: LoopWatchOptions;
  readonly #limitNs: bigint;
  readonly #timer: NodeJS.Timeout;
  #lastNs: bigint;
  #count = 0;

  constructor(options: LoopWatchOptions) {
    const intervalMs = options.budgetMs / LOOKS;
    this.#options = options;
    this.#limitNs = BigInt(Math.round((options.budgetMs + intervalMs) * 1e6));
    this.#lastNs = options.clock.nowNs();
    this.#timer = setInterval(() => this.look(), intervalMs);
    this.#timer.unref();
  }

  /** How often it was blocked. */
  get count(): number {
    return this.#count;
  }

  /** Whether the loop was blocked until now; told once. */
  look(): boolean {
    const nowNs = this.#options.clock.nowNs();
    const gapNs = nowNs - this.#lastNs;
    this.#lastNs = nowNs;
    if (gapNs <= this.#limitNs) return false;
    this.#count++;
    this.#options.blocked(Number(gapNs) / 1e6);
    return true;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
