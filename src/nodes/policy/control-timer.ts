import type { SteadyClock } from '../../common/index.js';

/*
 * One period P of the control loop. `due` is one period after the last tick.
 *
 *   last tick                 earliest                  due                   latest
 *       ├────────── P/2 ──────────┼────────── P/2 ───────┼────────── P/2 ────────┤
 *       │ too early: fresh state  │ early window:        │ late window:          │ tick, whatever has
 *       │ waits until `earliest`  │ tick when the state of this cycle is complete │ arrived or not
 *
 * With state at the robot's rate the timer ticks as soon as a state is complete, and so keeps the phase of the robot.
 * Without state it ticks P/2 after `due` and then every P, as a plain timer would: watchdogs, expiry and holds work.
 * `earliest` is not counted from the last tick but moves on by 0.99 P per tick: it bounds the average rate, and jitter of
 * single states does not shift it. After late state it lies at most P/2 in the past, so that states which then come on
 * time, or several at once, are still answered.
 */

/** A tick may run up to half a period early (fresh state has arrived) or late (still waiting for state), in periods. */
const TOLERANCE = 0.5;
/** If the state arrives up to 1 % faster than the control rate, tick with it; if faster, keep to the control rate. */
const FASTER_SOURCE = 0.01;
/** After late state, up to half a period of credit is kept, so state that then arrives on time or in a burst is answered. */
const CREDIT = 0.5;
/**
 * A topic last received 0.6 to 1.5 periods ago is still expected in this cycle, so the tick waits for it. One received
 * later belongs to this cycle already, and one that has been silent for longer is not waited for.
 */
const CYCLE = 0.6;
const SILENCE = 1.5;

export interface ControlTimerOptions {
  readonly clock: SteadyClock;
  readonly periodNs: bigint;
  /** Whether the newest state can be answered now: nothing else is under way, and what belongs to it has arrived. */
  readonly canTick: () => boolean;
  /** Runs control. `missed` is the number of ticks before this one whose time passed; they are skipped. */
  readonly tick: (missed: number) => void;
}

/**
 * Decides when the robot is commanded: as soon as fresh state is there, once per period on average, and at the latest
 * half a period after the tick was due, with or without state. So a command answers the newest state at once where the
 * state comes at the robot's rate, and silence is noticed as by a plain timer. Ticks never queue.
 */
export class ControlTimer {
  readonly #options: ControlTimerOptions;
  readonly #toleranceNs: bigint;
  readonly #cycleNs: bigint;
  readonly #silenceNs: bigint;
  readonly #stepNs: bigint;
  readonly #creditNs: bigint;
  /** When each topic was last received. */
  readonly #receivedNs = new Map<string, bigint>();
  /** When the next tick is expected: a period after the last. */
  #dueNs: bigint;
  /** Before this time no state is answered. */
  #earliestNs: bigint;
  /** State has arrived since the last tick. */
  #isFresh = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(options: ControlTimerOptions) {
    this.#options = options;
    const share = (periods: number): bigint => BigInt(Math.round(Number(options.periodNs) * periods));
    this.#toleranceNs = share(TOLERANCE);
    this.#cycleNs = share(CYCLE);
    this.#silenceNs = share(SILENCE);
    this.#stepNs = share(1 - FASTER_SOURCE);
    this.#creditNs = share(CREDIT);
    this.#dueNs = options.clock.nowNs() + options.periodNs;
    this.#earliestNs = this.#dueNs - this.#toleranceNs;
    this.#watch();
  }

  /** A message of this state topic was accepted. */
  received(topic: string): void {
    this.#receivedNs.set(topic, this.#options.clock.nowNs());
    this.#isFresh = true;
    this.tickIfDue();
  }

  /** Ticks if there is fresh state, if it is not too early, and if no topic is still expected in this cycle. */
  tickIfDue(): void {
    const nowNs = this.#options.clock.nowNs();
    if (!this.#isFresh || nowNs < this.#earliestNs) return;
    for (const receivedNs of this.#receivedNs.values()) {
      const age = nowNs - receivedNs;
      if (age > this.#cycleNs && age <= this.#silenceNs) return;
    }
    if (!this.#options.canTick()) return;
    const [nextNs, leastNs] = [this.#earliestNs + this.#stepNs, nowNs - this.#creditNs];
    this.#earliestNs = nextNs > leastNs ? nextNs : leastNs;
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
    this.#isFresh = false;
    this.#options.tick(missed);
  }

  /** Milliseconds until the latest time of the next tick. */
  #leftMs(): number {
    return Number(this.#dueNs + this.#toleranceNs - this.#options.clock.nowNs()) / 1e6;
  }

  /** The timer is not set anew at every tick: when it fires it looks whether the latest time has moved on. */
  #watch(): void {
    this.#timer = setTimeout(
      () => {
        if (this.#leftMs() > 0) this.#watch();
        // Node runs timers before it reads from sockets: the state may have arrived, but not been handled yet.
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
