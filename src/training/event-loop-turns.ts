/** Longest time between two turns of the event loop, beside a step of the work itself. */
const LONGEST_MS = 50;

/** Signals and messages arrive only where a loop that computes yields to the event loop now and then. */
export class EventLoopTurns {
  #yieldedMs = performance.now();

  /** To be awaited after each step of the work. */
  async yieldNowAndThen(): Promise<void> {
    if (performance.now() - this.#yieldedMs < LONGEST_MS) return;
    await new Promise(setImmediate);
    this.#yieldedMs = performance.now();
  }
}
