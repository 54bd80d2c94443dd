import type { PolicyBundleMessage } from '../../messages/index.js';

/** After this long without an answer the next policy is sent even so: the robot may have missed the one before. */
const PATIENCE_MS = 30_000;

/**
 * Sends policies to one robot, one at a time: while one is on its way, newer ones wait, and of these only the newest is
 * sent. A policy is large beside everything else on the link, and a robot has no use for those in between.
 */
export class PolicySender {
  readonly #publish: (policy: PolicyBundleMessage) => void;
  readonly #nowMs: () => number;
  #onItsWay: { readonly version: bigint; readonly sinceMs: number } | undefined;
  #waiting: PolicyBundleMessage | undefined;

  /** `nowMs` are milliseconds of the steady clock. */
  constructor(publish: (policy: PolicyBundleMessage) => void, nowMs: () => number) {
    this.#publish = publish;
    this.#nowMs = nowMs;
  }

  send(policy: PolicyBundleMessage): void {
    this.#waiting = policy;
    this.pump();
  }

  /** The robot says which policy it has. */
  has(version: bigint): void {
    if (version === this.#onItsWay?.version) this.#onItsWay = undefined;
    this.pump();
  }

  /** Sends what may be sent now. To be called now and then. */
  pump(): void {
    const now = this.#nowMs();
    const policy = this.#waiting;
    if (policy === undefined) return;
    if (this.#onItsWay !== undefined && now - this.#onItsWay.sinceMs < PATIENCE_MS) return;
    this.#waiting = undefined;
    this.#onItsWay = { version: policy.version, sinceMs: now };
    this.#publish(policy);
  }
}
