import { clamp, IqLearnError } from '../common/index.js';
import type { RobotSpec } from './types.js';

const scratch = new Float32Array(1);
const bits = new Int32Array(scratch.buffer);

/** The float32 nearest to a limit that does not exceed it: plain rounding could step over the limit. */
function roundedTo(value: number, isUpper: boolean): number {
  const rounded = Math.fround(value);
  if (isUpper ? rounded <= value : rounded >= value) return rounded;
  if (rounded === 0) return isUpper ? -1.401298464324817e-45 : 1.401298464324817e-45;
  scratch[0] = rounded;
  // Towards zero for a positive upper or negative lower limit, away from it otherwise.
  bits[0]! += rounded > 0 === isUpper ? -1 : 1;
  return scratch[0]!;
}

/** Remembers the last command, and keeps the next one within its limits and its largest change per second. */
export class CommandLimiter {
  readonly names: readonly string[];
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly #lowest: Float32Array;
  readonly #highest: Float32Array;
  readonly #maxRate: Float64Array;
  readonly #isHeld: readonly boolean[];
  readonly #longestSeconds: number;
  #last: Float32Array;
  #lastNs: bigint | null = null;
  #seconds = 0;
  readonly #periodNs: bigint;
  /** When the last command is reached, at the largest rate of its slowest number. */
  #dueNs: bigint | null = null;

  constructor(spec: RobotSpec, initial: ArrayLike<number> | undefined) {
    const { action } = spec;
    this.names = action.map(({ name }) => name);
    this.low = Float64Array.from(action, ({ low }) => low);
    this.high = Float64Array.from(action, ({ high }) => high);
    this.#lowest = Float32Array.from(action, ({ low }) => roundedTo(low, false));
    this.#highest = Float32Array.from(action, ({ high }) => roundedTo(high, true));
    this.#maxRate = Float64Array.from(action, ({ maxRate }) => maxRate);
    // After a pause the command must not leap: no more than two periods' worth of change at once.
    this.#longestSeconds = 2 / spec.rateHz;
    this.#periodNs = BigInt(Math.round(1e9 / spec.rateHz));
    this.#last = new Float32Array(action.length);
    this.#isHeld = action.map(({ stop }) => stop === 'hold');
    if (initial !== undefined) this.seed(initial);
    else if (!this.holds) this.#last = this.stop();
    else
      throw new IqLearnError('INVALID_ARGUMENT', 'the safety filter needs to know what to hold', {
        found: `no initial command for ${spec.robot}, whose stop is hold`,
        expected: `the position of ${this.names.join(', ')}`,
        remedy: 'make it when the state is known, with initial',
      });
  }

  /** The last command. */
  get last(): Float32Array {
    return this.#last.slice();
  }

  get length(): number {
    return this.#last.length;
  }

  /** Takes `command` as executed. Throws INVALID_ARGUMENT unless finite and of the right length. */
  seed(command: ArrayLike<number>): void {
    if (command.length !== this.length || !Array.from(command).every(Number.isFinite))
      throw new IqLearnError('INVALID_ARGUMENT', 'not a command to start from', {
        found: `[${Array.from(command).join(', ')}]`,
        expected: `${this.length} finite numbers: ${this.names.join(', ')}`,
      });
    this.#last = Float32Array.from(command, (value, i) => this.#within(value, i));
    this.#dueNs = null;
  }

  /**
   * Seconds from now in which the last command can be reached without exceeding a largest rate; at least a control
   * period. A command that was allowed to change for two periods takes two, and the next one begins where that ends.
   */
  get reachSeconds(): number {
    const now = this.#lastNs ?? 0n;
    const due = this.#dueNs ?? now;
    const left = due - now;
    return Number(left > this.#periodNs ? left : this.#periodNs) / 1e9;
  }

  /** Tells the time; a clock that does not move forward gives no time to move in. */
  advance(nowNs: bigint): void {
    const seconds = this.#lastNs === null ? 0 : Number(nowNs - this.#lastNs) / 1e9;
    this.#seconds = clamp(seconds, 0, this.#longestSeconds);
    if (this.#lastNs === null || nowNs > this.#lastNs) this.#lastNs = nowNs;
  }

  /** As near to `target` (finite) as limits and rates allow. */
  move(target: Float32Array): { command: Float32Array; clamped: boolean; rateLimited: boolean } {
    let clamped = false;
    let rateLimited = false;
    const command = new Float32Array(this.length);
    for (let i = 0; i < command.length; i++) {
      const wanted = this.#within(target[i]!, i);
      if (wanted !== target[i] && Math.fround(this.low[i]!) !== target[i] && Math.fround(this.high[i]!) !== target[i])
        clamped = true;
      const last = this.#last[i]!;
      const most =
        this.#maxRate[i] === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : this.#maxRate[i]! * this.#seconds;
      const change = wanted - last;
      if (Math.abs(change) > most * (1 + 1e-6)) {
        rateLimited = true;
        command[i] = this.#within(last + Math.sign(change) * most, i);
      } else command[i] = wanted;
    }
    this.#plan(command);
    this.#last = command.slice();
    return { command, clamped, rateLimited };
  }

  /** Notes when this command is reached: from where the last one ends, at the largest rates. */
  #plan(command: Float32Array): void {
    let seconds = 0;
    for (let i = 0; i < command.length; i++) {
      const rate = this.#maxRate[i]!;
      if (rate < Number.POSITIVE_INFINITY) seconds = Math.max(seconds, Math.abs(command[i]! - this.#last[i]!) / rate);
    }
    const now = this.#lastNs ?? 0n;
    const from = this.#dueNs !== null && this.#dueNs > now ? this.#dueNs : now;
    this.#dueNs = from + BigInt(Math.ceil(seconds * 1e9));
  }

  /** Whether a stop repeats the last command of anything. */
  get holds(): boolean {
    return this.#isHeld.includes(true);
  }

  /** The command of a stop: 0, or the last command of what is held. */
  stop(): Float32Array {
    this.#last = this.#last.map((last, i) => (this.#isHeld[i] === true ? last : this.#within(0, i)));
    return this.#last.slice();
  }

  #within(value: number, i: number): number {
    // Adding 0 makes −0 a plain zero.
    return clamp(Math.fround(value), this.#lowest[i]!, this.#highest[i]!) + 0;
  }
}
