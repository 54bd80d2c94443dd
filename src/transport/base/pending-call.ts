import { IqLearnError } from '../../common/index.js';

/**
 * A service call until it is settled: by its answer, by an error, by its timeout or because the transport closes.
 * Only the first of these counts. An adapter sends the request when it sees a server, says so with {@link sent}, and
 * settles the call when the answer has come.
 */
export class PendingCall {
  readonly service: string;
  readonly type: string;
  readonly request: object;
  /** Resolves with the response, rejects with an IqLearnError. */
  readonly response: Promise<unknown>;
  #resolve!: (response: unknown) => void;
  #reject!: (error: IqLearnError) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #cleanups: (() => void)[] = [];
  #isSent = false;
  #isSettled = false;

  constructor(service: string, type: string, request: object, timeoutMs: number) {
    this.service = service;
    this.type = type;
    this.request = request;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#expire(timeoutMs), timeoutMs);
  }

  get isSent(): boolean {
    return this.#isSent;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** A server has the request: without an answer the call ends with TIMEOUT from now on, before with UNAVAILABLE. */
  sent(): void {
    this.#isSent = true;
  }

  succeed(response: unknown): void {
    if (this.#settle()) this.#resolve(response);
  }

  fail(error: IqLearnError): void {
    if (this.#settle()) this.#reject(error);
  }

  /** Runs `cleanup` when the call is settled, however that happens. */
  onSettled(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    for (const cleanup of this.#cleanups) cleanup();
    return true;
  }

  #expire(timeoutMs: number): void {
    const [code, what] = this.#isSent
      ? (['TIMEOUT', 'did not answer'] as const)
      : (['UNAVAILABLE', 'has no server'] as const);
    this.fail(
      new IqLearnError(code, `the service ${this.service} ${what}`, { found: `nothing within ${timeoutMs} ms` }),
    );
  }
}
