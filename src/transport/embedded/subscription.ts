import type { Delivery } from '../base/delivery.js';
import type { RequestedQos } from '../transport.js';
import { KeepLast } from './keep-last.js';
import type { Runnable, Scheduler } from './scheduler.js';

/** Depth of a subscription that takes what each publisher offers. */
const DEFAULT_DEPTH = 10;

/** One subscriber of a topic. It keeps the newest `depth` messages until the scheduler has time to deliver them. */
export class Subscription implements Runnable {
  /** Undefined: takes what each publisher offers. */
  readonly requested: RequestedQos | undefined;
  /** Its number among the topic's subscribers; seeds the faults of its links. */
  readonly index: number;
  delivered = 0;
  /** Messages dropped because the subscriber was behind by more than its depth. */
  overflowed = 0;
  readonly #deliver: (delivery: Delivery) => void;
  readonly #scheduler: Scheduler;
  readonly #queue: KeepLast<Delivery>;
  #scheduled = false;
  #paused = false;
  #closed = false;

  constructor(
    requested: RequestedQos | undefined,
    deliver: (delivery: Delivery) => void,
    scheduler: Scheduler,
    index: number,
  ) {
    this.requested = requested;
    this.index = index;
    this.#deliver = deliver;
    this.#scheduler = scheduler;
    this.#queue = new KeepLast(requested?.depth ?? DEFAULT_DEPTH);
  }

  push(delivery: Delivery): void {
    if (this.#closed) return;
    if (this.#queue.push(delivery)) this.overflowed += 1;
    this.#schedule();
  }

  run(): boolean {
    this.#scheduled = false;
    if (this.#paused) return false;
    const delivery = this.#queue.shift();
    if (delivery === undefined) return false;
    this.delivered += 1;
    this.#deliver(delivery);
    this.#scheduled = this.#queue.size > 0 && !this.#paused;
    return this.#scheduled;
  }

  /** While paused, the newest `depth` messages wait. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#queue.size === 0) return;
    this.#scheduled = true;
    this.#scheduler.push(this);
  }
}
