import type { SteadyClock } from '../../common/index.js';

/** How far from when it is due a tick may be, in periods: early for fresh state, late to wait for it. */
const TOLERANCE = 0.5;
/** A source of state that is faster by less is followed; what is faster is answered at the rate. */
const FOLLOWED = 0.01;
/** Periods that are not forgotten after late state: what then comes in time, or all at once, is answered all the same. */
const CREDIT = 0.5;
/** What came within so many periods is of one cycle of the robot; who said nothing for longer is not waited for. */
const CYCLE = 0.6;
const SILENCE = 1.5;

export interface RhythmOptions {
  readonly clock: SteadyClock;
  readonly periodNs: bigint;
  /** Whether the newest state can be answered: what belongs to it is there beside the topics, and nothing else is under way. */
  readonly whole: () => boolean;
  /** Control. `missed`: ticks whose time had passed before this one could run; they are skipped. */
  readonly tick: (missed: number) => void;
}

/**
 * When the robot is commanded: as soon as fresh state is there, once a period on average, and half a period after it
 * was due whatever came. So a command answers the newest state at once where the state comes at the robot's rate, and
 * silence is noticed as by a timer. Ticks never queue.
 */
export class ControlTimer {
  readonly #options: RhythmOptions;
  readonly #toleranceNs: bigint;
  readonly #cycleNs: bigint;
  readonly #silenceNs: bigint;
  readonly #stepNs: bigint;
  readonly #creditNs: bigint;
  readonly #heardNs = new Map<string, bigint>();
  /** When the next tick is expected: a period after the last. */
  #dueNs: bigint;
  /** Before, no state is answered: it goes on by a period each answer, so that it bounds the rate and no jitter moves it. */
  #gateNs: bigint;
  /** Something was heard since the last tick. */
  #news = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(options: RhythmOptions) {
    this.#options = options;
    const share = (periods: number): bigint => BigInt(Math.round(Number(options.periodNs) * periods));
    this.#toleranceNs = share(TOLERANCE);
    this.#cycleNs = share(CYCLE);
    this.#silenceNs = share(SILENCE);
    this.#stepNs = share(1 - FOLLOWED);
    this.#creditNs = share(CREDIT);
    this.#dueNs = options.clock.nowNs() + options.periodNs;
    this.#gateNs = this.#dueNs - this.#toleranceNs;
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
    if (!this.#news || nowNs < this.#gateNs) return;
    for (const heardNs of this.#heardNs.values()) {
      const age = nowNs - heardNs;
      if (age > this.#cycleNs && age <= this.#silenceNs) return;
    }
    if (!this.#options.whole()) return;
    const [onwardsNs, leastNs] = [this.#gateNs + this.#stepNs, nowNs - this.#creditNs];
    this.#gateNs = onwardsNs > leastNs ? onwardsNs : leastNs;
    this.#run(nowNs + this.#options.periodNs, this.#missed(nowNs));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
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
