import type { SteadyClock } from '../common/index.js';

/** How far from when it is due a tick may be, in periods: early for fresh state, late to wait for it. */
const TOLERANCE = 0.5;
/** A source of state that is faster by less is followed; what is faster is answered at the rate. */
const FOLLOWED = 0.01;
/** What came within so many periods is of one cycle of the robot; who said nothing for longer is not waited for. */
const CYCLE = 0.6;
const SILENCE = 1.5;

export interface RhythmOptions {
  readonly clock: SteadyClock;
  readonly periodNs: bigint;
  /** Whether what belongs to the newest state is there, beside the topics. */
  readonly whole: () => boolean;
  /** Control. `missed`: ticks whose time had passed before this one could run; they are skipped. */
  readonly tick: (missed: number) => void;
}

/**
 * When the robot is commanded: as soon as fresh state is there, once a period on average, and half a period after it
 * was due whatever came. So a command answers the newest state at once where the state comes at the robot's rate, and
 * silence is noticed as by a timer. Ticks never queue.
 */
export class Rhythm {
  readonly #options: RhythmOptions;
  readonly #toleranceNs: bigint;
  readonly #heardNs = new Map<string, bigint>();
  #dueNs: bigint;
  /** Something was heard since the last tick. */
  #news = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(options: RhythmOptions) {
    this.#options = options;
    this.#toleranceNs = this.#share(TOLERANCE);
    this.#dueNs = options.clock.nowNs() + options.periodNs;
    this.#watch();
  }

  /** State of this topic was accepted. */
  hear(topic: string): void {
    this.#heardNs.set(topic, this.#options.clock.nowNs());
    this.#news = true;
    this.consider();
  }

  /** Ticks if the state is fresh, whole and due. */
  consider(): void {
    const nowNs = this.#options.clock.nowNs();
    if (!this.#news || nowNs < this.#dueNs - this.#toleranceNs) return;
    for (const heardNs of this.#heardNs.values()) {
      const age = nowNs - heardNs;
      if (age > this.#share(CYCLE) && age <= this.#share(SILENCE)) return;
    }
    if (!this.#options.whole()) return;
    const missed = this.#missed(nowNs);
    // From when it came, so that the next of its source is in time; what is early does not make the rate higher.
    const fromNs = nowNs > this.#dueNs ? nowNs : this.#dueNs;
    this.#run(fromNs + this.#share(1 - FOLLOWED), missed);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #share(periods: number): bigint {
    return BigInt(Math.round(Number(this.#options.periodNs) * periods));
  }

  #missed(nowNs: bigint): number {
    return nowNs < this.#dueNs ? 0 : Number((nowNs - this.#dueNs) / this.#options.periodNs);
  }

  #run(dueNs: bigint, missed: number): void {
    this.#dueNs = dueNs;
    this.#news = false;
    this.#options.tick(missed);
  }

  #leftMs(): number {
    return Number(this.#dueNs + this.#toleranceNs - this.#options.clock.nowNs()) / 1e6;
  }

  /** The timer is left alone while ticks come in time: it looks again when the deadline it was set for is past. */
  #watch(): void {
    this.#timer = setTimeout(
      () => {
        if (this.#leftMs() > 0) this.#watch();
        // Node runs timers before it reads what has arrived meanwhile: that may be the state.
        else this.#immediate = setImmediate(() => this.#expire());
      },
      Math.max(0, this.#leftMs()),
    );
  }

  #expire(): void {
    if (this.#leftMs() <= 0) {
      const missed = this.#missed(this.#options.clock.nowNs());
      this.#run(this.#dueNs + BigInt(missed + 1) * this.#options.periodNs, missed);
    }
    if (!this.#closed) this.#watch();
  }
}
