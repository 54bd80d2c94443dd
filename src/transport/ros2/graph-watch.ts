import type { Closable } from '../index.js';

const TICK_MS = 50;
/** Between two looks, in the long run, unless somebody needs more. */
const SLOWEST_MS = 2000;
/** A look at the graph takes about 0.1 ms; few per tick, so that a control loop is not delayed. */
const LOOKS_PER_TICK = 2;

interface Watched {
  readonly look: () => void;
  readonly slowestMs: number;
  waitMs: number;
  dueMs: number;
}

/**
 * Looks at the other nodes' endpoints on our topics and services: soon after one of ours was made, then ever more rarely,
 * a few looks at a time. rclnodejs does not notify us when the graph changes.
 */
export class GraphWatch {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  add(look: () => void, slowestMs = SLOWEST_MS): Closable {
    const watched = { look, slowestMs, waitMs: TICK_MS, dueMs: performance.now() };
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return {
      close: () => {
        this.#watched.delete(watched);
        if (this.#watched.size === 0) this.close();
      },
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watched.clear();
  }

  #tick(): void {
    const now = performance.now();
    let left = LOOKS_PER_TICK;
    for (const watched of [...this.#watched]) {
      if (watched.dueMs > now || left === 0) continue;
      left -= 1;
      watched.waitMs = Math.min(watched.waitMs * 1.6, watched.slowestMs);
      watched.dueMs = now + watched.waitMs;
      // move to the end, so that the others have their turn
      this.#watched.delete(watched);
      this.#watched.add(watched);
      watched.look();
    }
  }
}
