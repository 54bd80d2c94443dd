import type { IqLearnError } from '../../common/index.js';
import { refusedPublication, refusedSubscriptions } from './errors.js';

/** The least reason code by which a broker refuses something. */
const REFUSED = 128;

/** What became of a message: only one that is lost is worth sending again. */
export type PublishOutcome = 'sent' | 'lost' | 'refused';
export type PublishDone = (how: PublishOutcome) => void;

/**
 * What a broker does not permit on one connection: each topic is reported once, and subscriptions that are refused together
 * are one error. A client whose access rules are too old would else say the same for every message.
 */
export class Refusals {
  readonly #report: (error: IqLearnError) => void;
  readonly #publications = new Set<string>();
  #subscriptions: string[] = [];
  #found = '';

  constructor(report: (error: IqLearnError) => void) {
    this.#report = report;
  }

  /** A new connection: what was refused before is said again. */
  clear(): void {
    this.#publications.clear();
    this.#subscriptions = [];
  }

  outcome(topic: string, error: (Error & { readonly code?: unknown }) | null | undefined): PublishOutcome {
    if (error === null || error === undefined) return 'sent';
    if (!(typeof error.code === 'number' && error.code >= REFUSED)) return 'lost';
    if (!this.#publications.has(topic)) this.#report(refusedPublication(topic, error.message));
    this.#publications.add(topic);
    return 'refused';
  }

  subscription(topic: string, found: string): void {
    this.#subscriptions.push(topic);
    this.#found = found;
  }

  /** All subscriptions have been answered. */
  answered(): void {
    if (this.#subscriptions.length > 0) this.#report(refusedSubscriptions(this.#subscriptions.splice(0), this.#found));
  }
}
