import { performance } from 'node:perf_hooks';

/** A queue of deliveries that the scheduler works off. */
export interface Runnable {
  /** Makes one delivery. Returns true if more are waiting. */
  run(): boolean;
}

/** Deliveries (and milliseconds) per turn of the event loop, before timers and I/O run. */
const TURN_DELIVERIES = 128;
const TURN_MS = 4;

/**
 * Makes deliveries soon after `push`, never inside it: in microtasks, which cost about a microsecond, until this turn
 * of the event loop has used its share, and then after timers and I/O have run. Queues with more than one delivery take
 * turns.
 */
export class Scheduler {
  #ready: Runnable[] = [];
  #head = 0;
  #armed = false;
  #left = TURN_DELIVERIES;
  #turnEnds = Number.POSITIVE_INFINITY;
  #idle: (() => void)[] = [];

  push(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (!this.#armed) this.#arm();
  }

  /** Resolves when nothing is left to deliver. */
  idle(): Promise<void> {
    return this.#armed ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  #arm(): void {
    this.#armed = true;
    if (this.#left > 0 && performance.now() < this.#turnEnds) queueMicrotask(this.#drain);
    else setImmediate(this.#drain);
  }

  readonly #nextTurn = (): void => {
    this.#left = TURN_DELIVERIES;
    this.#turnEnds = Number.POSITIVE_INFINITY;
  };

  readonly #drain = (): void => {
    if (this.#turnEnds === Number.POSITIVE_INFINITY) {
      this.#turnEnds = performance.now() + TURN_MS;
      setImmediate(this.#nextTurn);
    }
    do {
      const runnable = this.#ready[this.#head]!;
      this.#head += 1;
      this.#left -= 1;
      if (runnable.run()) this.#ready.push(runnable);
      if (this.#head === this.#ready.length) {
        this.#ready = [];
        this.#head = 0;
        this.#armed = false;
        for (const resolve of this.#idle.splice(0)) resolve();
        return;
      }
    } while (this.#left > 0 && performance.now() < this.#turnEnds);
    if (this.#head > 0) {
      this.#ready = this.#ready.slice(this.#head);
      this.#head = 0;
    }
    this.#arm();
  };
}
