import { type Refused, refuse } from './readers.js';
import { describeRefusal } from './refusals.js';
import type { ActionFeatureSpec } from './types.js';

/** Values that differ by more than this share of their range are not of one motion: a joint passes what is between them. */
const APART = 0.1;
/** So many returns in a row, from one value to the other and back, are no accident. */
const RETURNS = 4;
/** A value that was not repeated for so long is forgotten; the robot was moved by hand, or an episode began anew. */
const FORGOTTEN_NS = 500_000_000n;
const TURN = 2 * Math.PI;
/** The range of a position without limits, by its unit: a turn, and what an axis of a robot that stands on a table moves. */
const USUAL: Readonly<Record<string, number>> = { rad: TURN, m: 1 };

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
 * Notices that two publishers say different things of one position. A message does not tell who sent it, but a position
 * that jumps away and back again and again, from one message to the next, is not one joint's: a joint that moves that
 * fast passes other places, and does not return to the same two. A turn of 2π is none: an angle may jump from π to −π.
 */
export class Rivals {
  readonly #apart: number;
  readonly #isAngle: boolean;
  #here: Track | undefined;
  #there: Track | undefined;
  #returns = 0;
  /** What was said first: a reason is counted by its words, and they do not change while it lasts. */
  #told: readonly [number, number] | null = null;

  constructor({ unit, low, high }: Ranged) {
    const range = high - low;
    this.#apart = APART * (Number.isFinite(range) ? range : (USUAL[unit] ?? Number.POSITIVE_INFINITY));
    this.#isAngle = unit === 'rad';
  }

  /** Takes the next value; gives both values that are said by turns, or null where there is one publisher, as far as is known. */
  take(value: number, nowNs: bigint): readonly [number, number] | null {
    if (this.#there !== undefined && nowNs - this.#there.timeNs > FORGOTTEN_NS) this.#forgetThere();
    const here = this.#here;
    if (here === undefined || nowNs - here.timeNs > FORGOTTEN_NS) {
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
    if (this.#returns < RETURNS || this.#there === undefined) return null;
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
export function rivalsRefused(joint: string, [a, b]: readonly [number, number]): Refused {
  const short = (value: number): string => String(Number(value.toPrecision(4)));
  const field = `position of ${joint}`;
  return refuse('contradictory', field, `${short(a)} and ${short(b)} by turns`, 'one publisher of this joint');
}

/** Notices that two devices command different positions of one joint by turns. */
export class RivalCommands {
  readonly #topic: string;
  readonly #watched: readonly { readonly at: number; readonly joint: string; readonly rivals: Rivals }[];

  /** How many commands were contradicted, and what was said of the last. */
  count = 0;
  text = '';

  constructor(topic: string, action: readonly ActionFeatureSpec[]) {
    this.#topic = topic;
    // A velocity may well be commanded to and fro.
    this.#watched = action.flatMap((feature, at) =>
      feature.quantity === 'position' ? [{ at, joint: feature.path, rivals: new Rivals(feature) }] : [],
    );
  }

  /** Whether there is anything to notice. */
  get isIdle(): boolean {
    return this.#watched.length === 0;
  }

  /** Takes the next command; gives what is said of it where it is contradicted, else null. */
  take(action: ArrayLike<number>, nowNs: bigint): string | null {
    let said: string | null = null;
    for (const { at, joint, rivals } of this.#watched) {
      const both = rivals.take(action[at]!, nowNs);
      if (both !== null) said ??= describeRefusal({ topic: this.#topic, ...rivalsRefused(joint, both) });
    }
    if (said === null) return null;
    this.count++;
    this.text = said;
    return said;
  }

  forget(): void {
    for (const { rivals } of this.#watched) rivals.forget();
  }
}
