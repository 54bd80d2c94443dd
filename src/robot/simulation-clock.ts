import type { SteadyClock } from '../common/index.js';
import { type Clock, nanosecondsOf } from '../messages/index.js';

const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));

export interface SimulationClockOptions {
  /** Time to wait for the first /clock message. Default 5000. */
  readonly firstMs?: number;
  /** Time without progress of /clock after which the simulation counts as paused. Default 500. */
  readonly pausedMs?: number;
  /** A step of /clock forward by more than this, or any step back, is a jump. Default 10000. */
  readonly jumpMs?: number;
}

export type SimulationClockState =
  /** `missing`: the node must stay inactive; `text` tells the user why. */
  | { readonly state: 'waiting' | 'missing'; readonly text: string }
  /** `paused`: simulated stamps and timers stand still; watchdogs on the steady clock continue. */
  | { readonly state: 'running' | 'paused'; readonly timeNs: bigint; readonly text: string };

/** Watches the time of a simulation (/clock) on the steady clock: detects pauses, jumps, and that there is none. */
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

  /** Takes a /clock message. Returns true if time has jumped: history must be dropped and the episode ends as truncated. */
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
