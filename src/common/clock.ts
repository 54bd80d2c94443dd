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

const NS_PER_MS = 1_000_000n;

export interface WallClockSources {
  readonly steady: SteadyClock;
  /** The system's time of day, whole milliseconds. */
  readonly nowMs: () => number;
  /** A finer time of day, of which only the first reading counts: it does not follow when the system's clock is set. */
  readonly fineMs: () => number;
}

const system: WallClockSources = {
  steady: steadyClock,
  nowMs: () => Date.now(),
  fineMs: () => performance.timeOrigin + performance.now(),
};

/**
 * The time of day in nanoseconds since 1970, finer than `Date.now()`, whose steps of a millisecond put the command of a
 * robot at 500 Hz before the state that it answers. The millisecond is always the system's, also after its clock was set;
 * within the millisecond the steady clock counts on. Readings only go back where the system's clock is set back.
 */
export class WallClock {
  readonly #sources: WallClockSources;
  /** Time of day minus steady time, corrected wherever a reading would leave the system's millisecond. */
  #offsetNs: bigint | undefined;

  constructor(sources: WallClockSources = system) {
    this.#sources = sources;
  }

  nowNs(): bigint {
    const { steady, nowMs, fineMs } = this.#sources;
    const leastNs = BigInt(nowMs()) * NS_PER_MS;
    const steadyNs = steady.nowNs();
    this.#offsetNs ??= BigInt(Math.round(fineMs() * 1000)) * 1000n - steadyNs;
    const nowNs = steadyNs + this.#offsetNs;
    const latestNs = leastNs + NS_PER_MS - 1n;
    if (nowNs >= leastNs && nowNs <= latestNs) return nowNs;
    const nearestNs = nowNs < leastNs ? leastNs : latestNs;
    this.#offsetNs = nearestNs - steadyNs;
    return nearestNs;
  }
}

const wallClock = new WallClock();

/** The time of day of this computer in nanoseconds since 1970, which messages are stamped with ({@link WallClock}). */
export const wallClockNs = (): bigint => wallClock.nowNs();
