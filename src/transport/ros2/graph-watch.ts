import type { Closable } from '../index.js';

const TICK_MS = 50;
const SLOWEST_MS = 2000;
/** A look at the graph takes some 0.1 ms: no tick may hold up a control loop. */
const LOOKS_PER_TICK = 2;

interface Watched {
  readonly look: () => void;
  waitMs: number;
  dueMs: number;
}

/**
 * Looks at what others do on our topics and services: soon after something new is made, ever more rarely afterwards,
 * a few looks at a time. (rclnodejs does not tell when the graph changes.)
 */
export class GraphWatch {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  add(look: () => void): Closable {
    const watched = { look, waitMs: TICK_MS, dueMs: performance.now() };
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
      watched.waitMs = Math.min(watched.waitMs * 1.6, SLOWEST_MS);
      watched.dueMs = now + watched.waitMs;
      // those that have waited take turns
      this.#watched.delete(watched);
      this.#watched.add(watched);
      watched.look();
    }
  }
}
