import type { SteadyClock } from '../common/index.js';
import { type Clock, nanosecondsOf } from '../messages/index.js';

const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));

/** Notices, on the steady clock, that something has not happened for too long. */
export class Watchdog {
  readonly timeoutMs: number;
  readonly #clock: SteadyClock;
  #fedNs: bigint;

  /** Starts fed: what is never heard of expires `timeoutMs` after this. */
  constructor(clock: SteadyClock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
    this.#fedNs = clock.nowNs();
  }

  feed(): void {
    this.#fedNs = this.#clock.nowNs();
  }

  get ageMs(): number {
    return Number(this.#clock.nowNs() - this.#fedNs) / 1e6;
  }

  get expired(): boolean {
    return this.ageMs > this.timeoutMs;
  }
}

export interface SimulationClockOptions {
  /** Without a first /clock for this long, waiting is over; 5000. */
  readonly firstMs?: number;
  /** A simulation whose time stands still for this long counts as paused; 500. */
  readonly pausedMs?: number;
  /** Time that goes back, or forward at once by more than this, has jumped; 10000. */
  readonly jumpMs?: number;
}

export type SimulationClockState =
  /** `missing`: the node must stay inactive; `text` says so to the user. */
  | { readonly state: 'waiting' | 'missing'; readonly text: string }
  /** `paused`: stamps and timers of the simulation stand still; watchdogs go on. */
  | { readonly state: 'running' | 'paused'; readonly timeNs: bigint; readonly text: string };

/** The time of a simulation (/clock), watched on the steady clock: tells pauses, jumps and its absence. */
export class SimulationClock {
  readonly #clock: SteadyClock;
  readonly #firstMs: number;
  readonly #pausedNs: bigint;
  readonly #jumpNs: bigint;
  readonly #startNs: bigint;
  #timeNs: bigint | null = null;
  #movedNs = 0n;
  #jumps = 0;

  constructor(clock: SteadyClock, { firstMs = 5000, pausedMs = 500, jumpMs = 10_000 }: SimulationClockOptions = {}) {
    this.#clock = clock;
    this.#firstMs = firstMs;
    this.#pausedNs = ms(pausedMs);
    this.#jumpNs = ms(jumpMs);
    this.#startNs = clock.nowNs();
  }

  /** Takes a /clock message. True where time has jumped: history is to be dropped, the episode ends as truncated. */
  accept(message: Clock): boolean {
    const timeNs = nanosecondsOf(message.clock);
    const last = this.#timeNs;
    if (timeNs === last) return false;
    this.#timeNs = timeNs;
    this.#movedNs = this.#clock.nowNs();
    const jumped = last !== null && (timeNs < last || timeNs - last > this.#jumpNs);
    if (jumped) this.#jumps += 1;
    return jumped;
  }

  get jumps(): number {
    return this.#jumps;
  }

  status(): SimulationClockState {
    const nowNs = this.#clock.nowNs();
    if (this.#timeNs === null) {
      const waitedMs = Number(nowNs - this.#startNs) / 1e6;
      const text = `no /clock for ${(waitedMs / 1000).toFixed(1)} s`;
      if (waitedMs < this.#firstMs) return { state: 'waiting', text };
      return { state: 'missing', text: `${text}: start the simulation, or run without simulated time` };
    }
    const stillNs = nowNs - this.#movedNs;
    const paused = stillNs > this.#pausedNs;
    const text = paused ? `the simulation has been paused for ${Number(stillNs) / 1e9} s` : '';
    return { state: paused ? 'paused' : 'running', timeNs: this.#timeNs, text };
  }
}
