import { callHandler, type Delivery, type Handler, type ReportError } from '../shared.js';
import type { Qos } from '../transport.js';
import { KeepLast } from './keep-last.js';
import type { Runnable, Scheduler } from './scheduler.js';

export interface SubscriptionOptions {
  readonly topic: string;
  /** Undefined takes what each publisher offers. */
  readonly requested: Qos | undefined;
  readonly handler: Handler;
  readonly report: ReportError;
  readonly scheduler: Scheduler;
  /** Messages that may be handed over before `grant`; Infinity where the handler has done its work when it returns. */
  readonly window: number;
}

/** One subscriber's end: keeps the newest `depth` messages until they can be handed over. */
export class Subscription implements Runnable {
  readonly requested: Qos | undefined;
  /** Which of the topic's subscribers it is, for reproducible faults. */
  readonly index: number;
  delivered = 0;
  overflowed = 0;
  readonly #options: SubscriptionOptions;
  readonly #queue: KeepLast<Delivery>;
  #credits: number;
  #scheduled = false;
  #paused = false;
  #closed = false;

  constructor(options: SubscriptionOptions, index: number) {
    this.#options = options;
    this.index = index;
    this.requested = options.requested;
    this.#queue = new KeepLast(options.requested?.depth ?? 10);
    this.#credits = options.window;
  }

  get report(): ReportError {
    return this.#options.report;
  }

  push(delivery: Delivery): void {
    if (this.#closed) return;
    if (this.#queue.push(delivery)) this.overflowed += 1;
    this.#schedule();
  }

  run(): boolean {
    this.#scheduled = false;
    if (this.#paused || this.#credits <= 0) return false;
    const delivery = this.#queue.shift();
    if (delivery === undefined) return false;
    this.#credits -= 1;
    this.delivered += 1;
    callHandler(this.#options.handler, delivery, this.#options.topic, this.#options.report);
    this.#scheduled = this.#queue.size > 0 && this.#credits > 0 && !this.#paused;
    return this.#scheduled;
  }

  /** The far end has handled `count` messages. */
  grant(count: number): void {
    this.#credits += count;
    this.#schedule();
  }

  /** While paused, messages wait here, the newest `depth` of them. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#credits <= 0 || this.#queue.size === 0) return;
    this.#scheduled = true;
    this.#options.scheduler.push(this);
  }
}
