import { TURN } from '../common/index.js';
import { type Refused, refuse } from './readers.js';
import { describeRefusal } from './refusals.js';
import type { ActionFeatureSpec } from './types.js';

/** Values that differ by more than this share of their range are not of one motion: a joint passes what is between them. */
const APART = 0.1;
/** So many returns in a row, from one value to the other and back, are no accident. */
const RETURNS = 4;
/** A value that was not repeated for so long is forgotten; the robot was moved by hand, or an episode began anew. */
const FORGOTTEN_NS = 500_000_000n;
/** A person may steer to and fro, but not so often, nor so fast. */
const OF_SPEEDS: Patience = { returns: 10, forgottenNs: 250_000_000n };
/** The range of a position without limits, by its unit: a turn, and what an axis of a robot that stands on a table moves. */
const USUAL: Readonly<Record<string, number>> = { rad: TURN, m: 1 };

interface Patience {
  readonly returns: number;
  readonly forgottenNs: bigint;
}

interface Track {
  value: number;
  timeNs: bigint;
}

/** What a number is, and which values it can have. */
export interface Ranged {
  readonly unit: string;
  readonly low: number;
  readonly high: number;
}

/**
 * Notices that two publishers say different things of one position, or speed. A message does not tell who sent it, but a
 * position that jumps away and back again and again, from one message to the next, is not one joint's: a joint that moves
 * that fast passes other places, and does not return to the same two. A turn of 2π is none: an angle may jump from π to −π.
 */
export class Rivals {
  readonly #apart: number;
  readonly #isAngle: boolean;
  #here: Track | undefined;
  #there: Track | undefined;
  #returns = 0;
  /** What was said first: a reason is counted by its words, and they do not change while it lasts. */
  #told: readonly [number, number] | null = null;

  readonly #patience: Patience;

  constructor({ unit, low, high }: Ranged, patience: Patience = { returns: RETURNS, forgottenNs: FORGOTTEN_NS }) {
    this.#patience = patience;
    const range = high - low;
    this.#apart = APART * (Number.isFinite(range) ? range : (USUAL[unit] ?? Number.POSITIVE_INFINITY));
    this.#isAngle = unit === 'rad';
  }

  /** Takes the next value; gives both values that are said by turns, or null where there is one publisher, as far as is known. */
  take(value: number, nowNs: bigint): readonly [number, number] | null {
    const { returns, forgottenNs } = this.#patience;
    if (this.#there !== undefined && nowNs - this.#there.timeNs > forgottenNs) this.#forgetThere();
    const here = this.#here;
    if (here === undefined || nowNs - here.timeNs > forgottenNs) {
      this.forget();
      this.#here = { value, timeNs: nowNs };
    } else if (this.#goesOn(value, here.value)) {
      here.value = value;
      here.timeNs = nowNs;
    } else {
      const there = this.#there;
      if (there !== undefined && Math.abs(value - there.value) <= this.#apart) {
        there.value = value;
        there.timeNs = nowNs;
        this.#here = there;
        this.#returns++;
      } else {
        this.#here = { value, timeNs: nowNs };
        this.#returns = 0;
        this.#told = null;
      }
      this.#there = here;
    }
    if (this.#returns < returns || this.#there === undefined) return null;
    const both = [this.#here!.value, this.#there.value];
    this.#told ??= [Math.min(...both), Math.max(...both)];
    return this.#told;
  }

  forget(): void {
    this.#here = undefined;
    this.#forgetThere();
  }

  #forgetThere(): void {
    this.#there = undefined;
    this.#returns = 0;
    this.#told = null;
  }

  /** An angle may go on a turn away; a wheel that spins comes near to where it was, a turn further on. */
  #goesOn(a: number, b: number): boolean {
    const difference = Math.abs(a - b);
    return Math.min(difference, this.#isAngle ? Math.abs(difference - TURN) : difference) <= this.#apart;
  }
}

/** What is said of a joint of which two positions are told by turns. */
export function rivalsRefused(joint: string, both: readonly [number, number]): Refused {
  return byTurns(`position of ${joint}`, both, 'one publisher of this joint');
}

function byTurns(field: string, [a, b]: readonly [number, number], expected: string): Refused {
  const short = (value: number): string => String(Number(value.toPrecision(4)));
  return refuse('contradictory', field, `${short(a)} and ${short(b)} by turns`, expected);
}

/** A speed of a joint or of a body; its rate of turning is none of an angle. */
const isSpeed = ({ quantity, unit }: ActionFeatureSpec): boolean =>
  quantity === undefined ? unit === 'm/s' || unit === 'rad/s' : quantity === 'velocity';

interface Watched {
  readonly at: number;
  readonly rivals: Rivals;
  readonly said: (both: readonly [number, number]) => Refused;
}

/** Notices that two devices command different positions of one joint, or speeds, by turns. */
export class RivalCommands {
  readonly #topic: string;
  readonly #watched: readonly Watched[];

  /** How many commands were contradicted, and what was said of the last. */
  count = 0;
  text = '';
  /** Whether the newest command is contradicted. */
  isContradicted = false;

  /** `withSpeeds`: speeds, too. They may be commanded to and fro by right, so that this is told and nothing is refused. */
  constructor(topic: string, action: readonly ActionFeatureSpec[], withSpeeds = false) {
    this.#topic = topic;
    this.#watched = action.flatMap((feature, at): Watched[] => {
      if (feature.quantity === 'position')
        return [{ at, rivals: new Rivals(feature), said: (both) => rivalsRefused(feature.path, both) }];
      if (!withSpeeds || !isSpeed(feature)) return [];
      return [
        { at, rivals: new Rivals(feature, OF_SPEEDS), said: (both) => byTurns(feature.name, both, 'one publisher') },
      ];
    });
  }

  /** Whether there is anything to notice. */
  get isIdle(): boolean {
    return this.#watched.length === 0;
  }

  /** Takes the next command; gives what is said of it where it is contradicted, else null. */
  take(action: ArrayLike<number>, nowNs: bigint): string | null {
    let text: string | null = null;
    for (const { at, rivals, said } of this.#watched) {
      const both = rivals.take(action[at]!, nowNs);
      if (both !== null) text ??= describeRefusal({ topic: this.#topic, ...said(both) });
    }
    this.isContradicted = text !== null;
    if (text === null) return null;
    this.count++;
    this.text = text;
    return text;
  }

  forget(): void {
    this.isContradicted = false;
    for (const { rivals } of this.#watched) rivals.forget();
  }
}
