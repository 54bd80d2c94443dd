/** Bytes that may be sent: so many per second, of which at most those of one second are saved up. */
export class Allowance {
  readonly #bytesPerSecond: number;
  #left: number;
  #refilledMs: number;

  /** `nowMs` are milliseconds of the steady clock, here and in {@link refill}. */
  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#left = bytesPerSecond;
    this.#refilledMs = nowMs;
  }

  /** Whether anything may be sent: what is larger than what is left is taken from the future. */
  get isLeft(): boolean {
    return this.#left > 0;
  }

  refill(nowMs: number): void {
    const more = ((nowMs - this.#refilledMs) / 1000) * this.#bytesPerSecond;
    this.#left = Math.min(this.#bytesPerSecond, this.#left + more);
    this.#refilledMs = nowMs;
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }
}
