import { header, type MessageTypes } from '../../messages/index.js';
import type { Publisher } from '../../transport/index.js';

type Intervention = MessageTypes['iq_learn/msg/Intervention'];

/** Where an intervention begins or ends. */
export interface InterventionMoment {
  readonly stampNs: bigint;
  readonly episode: number;
  readonly step: number;
}

/** Publishes when a person takes over from the policy, and when they hand back. */
export class InterventionLog {
  readonly #publisher: Publisher<Intervention>;
  readonly #identity: Pick<Intervention, 'robot' | 'session'>;
  #active = false;
  #count = 0;

  constructor(publisher: Publisher<Intervention>, identity: Pick<Intervention, 'robot' | 'session'>) {
    this.#publisher = publisher;
    this.#identity = identity;
  }

  /** Number of interventions. */
  get count(): number {
    return this.#count;
  }

  /** Publishes a change. `reason` says what came after an intervention, and is not used at its beginning. */
  set(active: boolean, { stampNs, episode, step }: InterventionMoment, reason: string): void {
    if (active === this.#active) return;
    this.#active = active;
    if (active) this.#count++;
    const why = active ? '' : reason;
    this.#publisher.publish({ header: header(stampNs), ...this.#identity, active, reason: why, episode, step });
  }
}
