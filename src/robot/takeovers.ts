import { clamp } from '../common/index.js';
import { createActionMapper } from './action-mapper.js';
import { type JoggedPart, joggedPart } from './jog.js';
import { type RobotPart, robotParts } from './parts.js';
import { createTakeoverDetector, type TakeoverCounters, type TakeoverDetector } from './takeover.js';
import type { RobotSpec } from './types.js';

/** What a person commands the whole robot. */
export interface PersonsCommand {
  readonly action: Float32Array;
  /** When it expires: the first of its parts is then too old. */
  readonly untilNs: bigint;
}

interface Part extends RobotPart {
  readonly detector: TakeoverDetector;
  readonly timeoutNs: bigint;
  /** Where the person says only how it moves on from where it is. */
  readonly jog: JoggedPart | undefined;
  newest: Float32Array | null;
  untilNs: bigint;
}

/**
 * A person's takeover of the whole robot, whichever of its parts they command: the policy lets go of all of them. A part
 * that the person does not command rests: velocities are 0, positions stay at the last command.
 */
export class Takeover {
  readonly #spec: RobotSpec;
  readonly #parts: readonly Part[];
  #lastProblem = '';
  /** A part has expired since the last {@link take}. */
  #alive = 0;
  #takenNs: bigint | undefined;

  constructor(spec: RobotSpec) {
    this.#spec = spec;
    this.#parts = robotParts(spec).map((part) => {
      const { teleop } = part.command;
      const jog = joggedPart(part.spec, teleop);
      const detector = createTakeoverDetector(part.spec, jog ?? createActionMapper(part.spec, teleop));
      const timeoutNs = BigInt(Math.round(Math.min(teleop.timeoutMs, 60_000) * 1e6));
      return { ...part, detector, jog, timeoutNs, newest: null, untilNs: 0n };
    });
  }

  /** Takes a message of a teleoperation topic (see {@link TakeoverDetector}); returns whether it was accepted. */
  accept(topic: string, message: unknown, receivedNs: bigint, stampNowNs?: bigint): boolean {
    const part = this.#parts.find(({ command }) => command.teleop.topic === topic);
    if (part === undefined) throw new RangeError(`${topic} is no topic of teleoperation`);
    const { accepted, malformed } = part.detector.counters;
    part.detector.accept(message, receivedNs, stampNowNs);
    if (part.detector.counters.malformed > malformed) this.#lastProblem = part.detector.lastProblem;
    const isAccepted = part.detector.counters.accepted > accepted;
    if (isAccepted) part.jog?.accept();
    return isAccepted;
  }

  /** Whether every part was commanded since the last {@link take}. */
  get isWhole(): boolean {
    return this.#parts.every(({ detector }) => detector.hasNew);
  }

  /**
   * What the person commands, where that has changed since the last call or moves on with time; else null. `current` is the robot's command so
   * far, which parts of positions stay at. To be called once per control cycle.
   */
  take(nowNs: bigint, current: ArrayLike<number>): PersonsCommand | null {
    const seconds = this.#since(nowNs);
    let isNew = false;
    for (const part of this.#parts) {
      const newest = part.detector.take();
      if (newest === null) continue;
      isNew = true;
      part.newest = newest;
      part.untilNs = nowNs + part.timeoutNs;
    }
    if (!isNew && this.#alive === 0) return null;
    const alive = this.#parts.filter(({ newest, untilNs }) => newest !== null && nowNs <= untilNs);
    const isLess = alive.length < this.#alive;
    this.#alive = alive.length;
    const movesOn = alive.some(({ jog }) => jog !== undefined);
    if (alive.length === 0 || !(isNew || isLess || movesOn)) return null;
    const action = Float32Array.from(this.#spec.action, ({ stop, low, high }, i) =>
      Math.min(Math.max(stop === 'zero' ? 0 : current[i]!, low), high),
    );
    let untilNs = alive[0]!.untilNs;
    for (const part of alive) {
      const { at, jog, newest } = part;
      const values =
        jog === undefined
          ? newest!
          : jog.target(
              seconds,
              at.map((i) => current[i]!),
            );
      at.forEach((i, k) => {
        action[i] = values[k]!;
      });
      if (part.untilNs < untilNs) untilNs = part.untilNs;
    }
    return { action, untilNs };
  }

  /** Seconds since the last call: a control period for the first, and at most two, so that nothing leaps after a pause. */
  #since(nowNs: bigint): number {
    const period = 1 / this.#spec.rateHz;
    const seconds = this.#takenNs === undefined ? period : Number(nowNs - this.#takenNs) / 1e9;
    this.#takenNs = nowNs;
    return clamp(seconds, 0, 2 * period);
  }

  /** Forgets commands and stamps: between episodes, or when the clock jumped. */
  reset(): void {
    this.#alive = 0;
    for (const part of this.#parts) {
      part.detector.reset();
      part.jog?.reset();
      part.newest = null;
    }
  }

  get counters(): TakeoverCounters {
    const sum = { accepted: 0, malformed: 0, late: 0, resting: 0 };
    for (const { detector } of this.#parts)
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += detector.counters[key];
    return sum;
  }

  /** Commands that another device contradicts, and what was said of the last of them; see {@link TakeoverDetector}. */
  get contradicted(): TakeoverDetector['contradicted'] {
    const each = this.#parts.map(({ detector }) => detector.contradicted);
    return {
      count: each.reduce((sum, { count }) => sum + count, 0),
      text: (each.find(({ isNow }) => isNow) ?? each.find(({ text }) => text !== ''))?.text ?? '',
      isNow: each.some(({ isNow }) => isNow),
    };
  }

  /** Why the last malformed command could not be used; empty before the first. */
  get lastProblem(): string {
    return this.#lastProblem;
  }
}
