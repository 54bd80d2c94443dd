import { isWrapped, TURN } from '../common/index.js';
import type { JointReader } from './joint-reader.js';
import { noNumber, type Reader, type Refused, refuse } from './readers.js';
import type { TopicSpec } from './types.js';

/** A velocity that is computed from two positions of the same joint. */
export interface DerivedVelocity {
  readonly joint: string;
  readonly position: number;
  readonly velocity: number;
  /** An angle, which may be given within one turn. */
  readonly isAngle: boolean;
}

/** How a topic's messages become numbers. */
export interface TopicReaders {
  readonly whole: readonly Reader[];
  readonly joints: JointReader | null;
  readonly derived: readonly DerivedVelocity[];
  /** The poses of these slots may be given in another frame, as /tf knows how they are turned. */
  readonly poseSlot: number | null;
  readonly slots: number;
}

/** Of a topic that is read as a whole. */
const whole: readonly number[] = [0];

/**
 * The last good messages of a state topic, reduced to the numbers that features need. A topic has one part, or one for
 * each joint where its messages name joints: those of a message are replaced, and the others stay.
 */
export class TopicState {
  readonly spec: TopicSpec;
  readonly timeoutNs: bigint | null;
  readonly readers: TopicReaders;
  values: Float64Array;
  #scratch: Float64Array;
  readonly #stampsNs: BigInt64Array;
  readonly #receivedNs: BigInt64Array;
  /** 0: not heard; 1: heard once, where a velocity needs two positions; 2: known. */
  readonly #known: Uint8Array;
  readonly #derivedOf: readonly (readonly DerivedVelocity[])[];
  /** Whether all parts are known. */
  known = false;
  /** The oldest stamp and arrival of its parts. */
  stampNs = 0n;
  receivedNs = 0n;
  backward = 0;
  /** Its newest message had no stamp. */
  isUnstamped = false;
  /** Why the newest message was dropped; null after one was accepted. */
  problem: Refused | null = null;
  /** Why nothing of a publisher arrives, as far as that is known; null after a message was accepted. */
  unheard: Refused | null = null;

  constructor(spec: TopicSpec, readers: TopicReaders) {
    this.spec = spec;
    this.readers = readers;
    this.timeoutNs = Number.isFinite(spec.timeoutMs) ? BigInt(Math.round(spec.timeoutMs * 1e6)) : null;
    this.values = new Float64Array(readers.slots);
    this.#scratch = new Float64Array(readers.slots);
    const parts = readers.joints?.parts ?? [''];
    this.#stampsNs = new BigInt64Array(parts.length);
    this.#receivedNs = new BigInt64Array(parts.length);
    this.#known = new Uint8Array(parts.length);
    this.#derivedOf = parts.map((part) => readers.derived.filter(({ joint }) => joint === part));
  }

  /** The parts that a message is of: none if it names only joints of others. */
  select(message: unknown): readonly number[] {
    return this.readers.joints?.select(message) ?? whole;
  }

  /** The newest stamp among these parts with its arrival; null if none of them was heard. */
  newest(parts: readonly number[]): { stampNs: bigint; receivedNs: bigint } | null {
    let found = -1;
    for (const part of parts)
      if (this.#known[part]! > 0 && (found < 0 || this.#stampsNs[part]! > this.#stampsNs[found]!)) found = part;
    return found < 0 ? null : { stampNs: this.#stampsNs[found]!, receivedNs: this.#receivedNs[found]! };
  }

  /** Reads the parts of a message completely or not at all: a refused one leaves the last good values. Returns why it was refused, or null. */
  read(message: unknown, parts: readonly number[], stampNs: bigint): Refused | null {
    this.#scratch.set(this.values);
    for (const reader of this.readers.whole) {
      const refused = reader(message, this.#scratch);
      if (refused !== null) return refused;
    }
    const refused = this.readers.joints?.read(message, this.#scratch) ?? null;
    if (refused !== null) return refused;
    if (this.readers.derived.length === 0) return null;
    for (const part of parts) {
      const impossible = this.#derive(part, stampNs);
      if (impossible !== null) return impossible;
    }
    return null;
  }

  #derive(part: number, stampNs: bigint): Refused | null {
    const seconds = Number(stampNs - this.#stampsNs[part]!) / 1e9;
    if (this.#known[part] === 0 || !(seconds > 0)) return null;
    for (const { joint, position, velocity, isAngle } of this.#derivedOf[part]!) {
      const [now, before] = [this.#scratch[position]!, this.values[position]!];
      const value = (isAngle ? turned(before, now) : now - before) / seconds;
      const refused = noNumber(`velocity of ${joint}, from its positions,`, value);
      if (refused !== null) return refused;
      this.#scratch[velocity] = value;
    }
    return null;
  }

  cannotHear(reason: string): void {
    this.unheard = refuse('incomplete', '', reason, this.spec.type, reason);
  }

  /** Why there is no newer state, for people; null if that is not known. */
  get why(): Refused | null {
    return this.problem ?? this.unheard;
  }

  /** Whether what was read last is what is known already. */
  get isRepetition(): boolean {
    for (let i = 0; i < this.values.length; i++) if (this.values[i] !== this.#scratch[i]) return false;
    return true;
  }

  /** Why what was read last is not to be believed, because another publisher contradicts it; null as far as is known. */
  rivals(nowNs: bigint): Refused | null {
    return this.readers.joints?.rivals(this.#scratch, nowNs) ?? null;
  }

  /** What was known of these parts is not believed any more. */
  doubt(parts: readonly number[]): void {
    for (const part of parts) this.#known[part] = 0;
    this.known = false;
  }

  /** Takes what was read last. */
  commit(parts: readonly number[], stampNs: bigint, receivedNs: bigint): void {
    [this.values, this.#scratch] = [this.#scratch, this.values];
    for (const part of parts) {
      this.#stampsNs[part] = stampNs;
      this.#receivedNs[part] = receivedNs;
      const needed = this.#derivedOf[part]!.length > 0 ? 2 : 1;
      this.#known[part] = this.#known[part]! + 1 >= needed ? 2 : 1;
    }
    this.backward = 0;
    this.unheard = null;
    this.known = !this.#known.includes(0) && !this.#known.includes(1);
    if (!this.known) return;
    const isWhole = parts.length === this.#known.length;
    this.stampNs = isWhole ? stampNs : least(this.#stampsNs);
    this.receivedNs = isWhole ? receivedNs : least(this.#receivedNs);
  }

  /** A message that repeats the last one arrived: what it is about is still true. */
  refresh(parts: readonly number[], receivedNs: bigint): void {
    for (const part of parts) this.#receivedNs[part] = receivedNs;
    this.receivedNs = least(this.#receivedNs);
  }

  get parts(): readonly string[] {
    return this.readers.joints?.parts ?? [''];
  }

  /** What a message that has only these parts lacks. */
  lacking(message: unknown, parts: readonly number[]): Refused | null {
    const missing = this.parts.filter((_, part) => !parts.includes(part));
    return this.readers.joints?.lacking(message, missing) ?? null;
  }

  /** Why the topic is not known although a message was good. */
  incomplete(message: unknown): Refused {
    const missing = this.parts.filter((_, part) => this.#known[part] === 0);
    const { joints } = this.readers;
    const contradicted = joints?.contradicted ?? null;
    if (contradicted !== null) return contradicted;
    if (joints !== null && missing.length > 0) return joints.lacking(message, missing);
    return refuse('incomplete', 'position', 'one message', 'two, as velocities are computed from positions');
  }

  /** What was said once is still true after a jump of the clock, whatever its stamp was: the next message counts. */
  clockJumped(): void {
    if (this.timeoutNs !== null || !this.known) {
      this.forget();
      return;
    }
    this.#stampsNs.fill(0n);
    this.stampNs = 0n;
    this.backward = 0;
    this.isUnstamped = true;
  }

  forget(): void {
    this.known = false;
    this.#known.fill(0);
    this.readers.joints?.forget();
    this.backward = 0;
    this.isUnstamped = false;
    this.problem = null;
  }
}

/** How far an angle has turned. */
function turned(before: number, now: number): number {
  const difference = now - before;
  return isWrapped(before, now) ? difference - Math.sign(difference) * TURN : difference;
}

function least(times: BigInt64Array): bigint {
  let found = times[0]!;
  for (const time of times) if (time < found) found = time;
  return found;
}
