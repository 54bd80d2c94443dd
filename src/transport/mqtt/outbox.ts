import type { MqttConnection } from './connection.js';
import type { Publication } from './publication.js';
import type { PublishOutcome } from './refusals.js';

/** Messages that may be on their way to the broker without its confirmation. */
const IN_FLIGHT = 64;

interface Waiting extends Publication {
  /** When it was published, in milliseconds of the steady clock. */
  readonly atMs: number;
  readonly order: number;
}

/**
 * What one publisher has published and the broker does not have yet: as many as may be in flight, and behind them the
 * newest `depth`. While there is no connection, reliable messages wait, those that were in flight first, and the others
 * are dropped. What is older than its lifetime is never sent: a burst of old messages after a partition helps nobody.
 */
export class Outbox {
  readonly #connection: MqttConnection;
  readonly #depth: number;
  readonly #flying = new Set<Waiting>();
  #queue: Waiting[] = [];
  #dropped = 0;
  #order = 0;
  readonly #stop: () => void;
  #idle: (() => void)[] = [];

  constructor(connection: MqttConnection, depth: number) {
    this.#connection = connection;
    this.#depth = depth;
    this.#stop = connection.onChange(() => this.#pump());
  }

  /** Messages dropped: too many, too old, refused by the broker, or best effort without a connection. */
  get dropped(): number {
    return this.#dropped;
  }

  push(publication: Publication): void {
    if (!this.#connection.state.connected && publication.qos === 0) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push({ ...publication, atMs: performance.now(), order: this.#order++ });
    this.#pump();
    while (this.#queue.length > this.#depth) {
      this.#queue.shift();
      this.#dropped += 1;
    }
  }

  /** Resolves when the broker has everything, or after `timeoutMs`. */
  async drained(timeoutMs: number): Promise<void> {
    if (this.#isEmpty) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  close(): void {
    this.#stop();
  }

  get #isEmpty(): boolean {
    return this.#queue.length === 0 && this.#flying.size === 0;
  }

  #pump(): void {
    while (this.#connection.state.connected && this.#flying.size < IN_FLIGHT) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      if (next.lifetimeMs > 0 && performance.now() - next.atMs > next.lifetimeMs) {
        this.#dropped += 1;
        continue;
      }
      this.#flying.add(next);
      this.#connection.publish(next, (how) => this.#landed(next, how));
    }
    if (this.#isEmpty) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #landed(publication: Waiting, how: PublishOutcome): void {
    if (!this.#flying.delete(publication)) return;
    if (how === 'lost' && publication.qos === 1) {
      // Those in flight come back in their order, and before what waits.
      const at = this.#queue.findIndex(({ order }) => order > publication.order);
      this.#queue.splice(at < 0 ? this.#queue.length : at, 0, publication);
    } else if (how !== 'sent') this.#dropped += 1;
    this.#pump();
  }
}
