import type { SteadyClock } from '../../common/index.js';

/** Checks per budget. A block may exceed the budget by up to one interval between checks before it is noticed. */
const LOOKS = 4;

export interface LoopWatchOptions {
  readonly clock: SteadyClock;
  readonly budgetMs: number;
  /** Called when the event loop was blocked for longer than the budget; `ms` is about how long. */
  readonly blocked: (ms: number) => void;
}

/**
 * Notices that the event loop was blocked, before anything is done with data that is old by then. Code that acts calls
 * {@link look} first: after a block, messages may be handled before timers run.
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

  /** How often the loop was blocked. */
  get count(): number {
    return this.#count;
  }

  /** Whether the loop was blocked until now. Each block is reported once. */
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
