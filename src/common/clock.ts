/** A clock that never jumps and never stops: what every watchdog, deadline and rate is measured with. */
export interface SteadyClock {
  /** Nanoseconds since an arbitrary start; never decreases. */
  nowNs(): bigint;
}

export const steadyClock: SteadyClock = { nowNs: () => process.hrtime.bigint() };

/** A steady clock that a test moves by hand. */
export class ManualClock implements SteadyClock {
  #nowNs: bigint;

  constructor(startNs = 0n) {
    this.#nowNs = startNs;
  }

  nowNs(): bigint {
    return this.#nowNs;
  }

  /** Moves the clock forward. A steady clock cannot go back: a negative duration throws. */
  advanceMs(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`a steady clock cannot move by ${ms} ms`);
    this.#nowNs += BigInt(Math.round(ms * 1e6));
  }
}
