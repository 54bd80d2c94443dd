import { FACTS, fact, TransitionRows, type TransitionShape } from '../../transition-rows.js';
import { isSame, NONE, readVarint, signed, toEnd, viewOf } from './plain-bytes.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LEAST_CAPACITY = 8;
/** A float32 number with all of these bits is not finite. */
const EXPONENT = 0x7f800000;

/** Tags of the fields of Transition.msg: eight times the place in the definition, and how it is encoded. */
const tag = {
  header: 10,
  robot: 18,
  session: 26,
  sequence: 32,
  episode: 40,
  step: 48,
  version: 56,
  intervention: 64,
  observation: 74,
  action: 82,
  next: 90,
  terminated: 96,
  truncated: 104,
  reward: 113,
} as const;

const bitsOf = ({ buffer }: Float32Array): Int32Array => new Int32Array(buffer);

/**
 * Reads protobuf messages of type Transition straight into rows. It takes what every program of ours writes: fields in
 * ascending order, each once, of the robot's name and sizes, with finite numbers. {@link read} says no to all else, and
 * leaves no trace of it; whoever asked then decodes the message as any other, which accepts it or says what is wrong.
 *
 * Each function that reads a field is given where it begins and gives where the next one does: NONE where it cannot be
 * read, which those after it pass on.
 */
export class TransitionReader {
  readonly #shape: TransitionShape;
  readonly #robot: DataView;
  #rows!: TransitionRows;
  /** The bits of the numbers of the rows. */
  #observations!: Int32Array;
  #actions!: Int32Array;
  #nextObservations!: Int32Array;
  #expected = LEAST_CAPACITY;
  /** The session that was read last, and its bytes. */
  #session = '';
  #sessionBytes = viewOf(new Uint8Array(0));
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = viewOf(this.#bytes);

  constructor(shape: TransitionShape) {
    this.#shape = shape;
    this.#robot = viewOf(encoder.encode(shape.robot));
    this.#begin(0);
  }

  /** Transitions read since the last {@link take}. */
  get length(): number {
    return this.#rows.length;
  }

  /** Whether what was read must be taken before more is read. */
  get isFull(): boolean {
    return this.#rows.length > 0 && this.#rows.length === this.#rows.capacity;
  }

  /** About as many messages come until the next {@link take}. */
  expect(count: number): void {
    this.#expected = Math.max(LEAST_CAPACITY, count);
  }

  /** What was read since the last time. */
  take(): TransitionRows {
    const rows = this.#rows;
    this.#begin(0);
    return rows;
  }

  /** Whether the message could be put into the next row; `place` is kept with it. */
  read({ buffer, byteOffset: start, length }: Uint8Array, place: number): boolean {
    // Rows that are full are not copied into larger ones: whoever reads takes them first.
    if (this.#rows.length === this.#rows.capacity) {
      if (this.#rows.length > 0) return false;
      this.#begin(this.#expected);
    }
    // The messages of a batch are views of one buffer.
    if (buffer !== this.#bytes.buffer) {
      this.#bytes = new Uint8Array(buffer);
      this.#view = viewOf(this.#bytes);
    }
    const row = this.#rows.length;
    const end = start + length;
    if (!Number.isSafeInteger(place) || this.#fields(row, start, end) !== end) return false;
    this.#rows.set(row, fact.place, place);
    this.#rows.length += 1;
    return true;
  }

  #begin(capacity: number): void {
    const rows = new TransitionRows(this.#shape, capacity);
    this.#rows = rows;
    this.#observations = bitsOf(rows.observations);
    this.#actions = bitsOf(rows.actions);
    this.#nextObservations = bitsOf(rows.nextObservations);
  }

  #fields(row: number, start: number, end: number): number {
    const { facts, sessions } = this.#rows;
    const { observation: o, action: a } = this.#shape;
    const bytes = this.#bytes;
    const first = row * FACTS;
    let at = this.#header(start, end, first);
    at = this.#ofRobot(at, end);
    at = this.#ofSession(at, end);
    if (at === NONE) return NONE;
    sessions[row] = this.#session;
    at = readNumber(bytes, at, end, tag.sequence, Number.MAX_SAFE_INTEGER, facts, first + fact.sequence);
    at = readNumber(bytes, at, end, tag.episode, 0xffffffff, facts, first + fact.episode);
    at = readNumber(bytes, at, end, tag.step, 0xffffffff, facts, first + fact.step);
    at = readNumber(bytes, at, end, tag.version, Number.MAX_SAFE_INTEGER, facts, first + fact.version);
    facts[first + fact.version] = signed(facts[first + fact.version]!);
    at = readNumber(bytes, at, end, tag.intervention, 1, facts, first + fact.intervention);
    at = this.#floats(at, end, tag.observation, this.#observations, row, o);
    at = this.#floats(at, end, tag.action, this.#actions, row, a);
    at = this.#floats(at, end, tag.next, this.#nextObservations, row, o);
    at = readNumber(bytes, at, end, tag.terminated, 1, facts, first + fact.terminated);
    at = readNumber(bytes, at, end, tag.truncated, 1, facts, first + fact.truncated);
    return this.#reward(at, end, first + fact.reward);
  }

  /** A header with a stamp and without a frame, if there is one, to the facts from `first` on. */
  #header(start: number, end: number, first: number): number {
    const { facts } = this.#rows;
    const bytes = this.#bytes;
    facts[first + fact.sec] = 0;
    facts[first + fact.nanosec] = 0;
    if (start >= end || bytes[start] !== tag.header) return start;
    const headerEnd = toEnd(bytes, start + 1, end, BEGIN);
    if (headerEnd === NONE || BEGIN[0]! >= headerEnd || bytes[BEGIN[0]!] !== 10) return NONE;
    if (toEnd(bytes, BEGIN[0]! + 1, headerEnd, BEGIN) !== headerEnd) return NONE;
    let at = readNumber(bytes, BEGIN[0]!, headerEnd, 8, 0xffffffff, facts, first + fact.sec);
    facts[first + fact.sec] = signed(facts[first + fact.sec]!);
    at = readNumber(bytes, at, headerEnd, 16, 0xffffffff, facts, first + fact.nanosec);
    return at === headerEnd ? at : NONE;
  }

  #ofRobot(start: number, end: number): number {
    const behind = this.#text(start, end, tag.robot);
    return behind !== NONE && isSame(this.#view, BEGIN[0]!, behind, this.#robot) ? behind : NONE;
  }

  #ofSession(start: number, end: number): number {
    const behind = this.#text(start, end, tag.session);
    if (behind === NONE || isSame(this.#view, BEGIN[0]!, behind, this.#sessionBytes)) return behind;
    const bytes = this.#bytes.slice(BEGIN[0]!, behind);
    try {
      this.#session = decoder.decode(bytes);
    } catch {
      return NONE;
    }
    this.#sessionBytes = viewOf(bytes);
    return behind;
  }

  /** Where the bytes of the field end; where they begin is in BEGIN. */
  #text(start: number, end: number, own: number): number {
    if (start === NONE || start >= end || this.#bytes[start] !== own) return NONE;
    return toEnd(this.#bytes, start + 1, end, BEGIN);
  }

  /** Exactly `count` finite numbers, packed, to a row of `target`. */
  #floats(start: number, end: number, own: number, target: Int32Array, row: number, count: number): number {
    const behind = this.#text(start, end, own);
    const begin = BEGIN[0]!;
    if (behind === NONE || behind - begin !== 4 * count) return NONE;
    const view = this.#view;
    const first = row * count;
    for (let i = 0; i < count; i++) {
      const bits = view.getInt32(begin + 4 * i, true);
      if ((bits & EXPONENT) === EXPONENT) return NONE;
      target[first + i] = bits;
    }
    return behind;
  }

  #reward(start: number, end: number, place: number): number {
    const { facts } = this.#rows;
    facts[place] = 0;
    if (start === NONE || start >= end || this.#bytes[start] !== tag.reward) return start;
    if (start + 9 > end) return NONE;
    facts[place] = this.#view.getFloat64(start + 1, true);
    return start + 9;
  }
}

/** Where the bytes of the field that was looked at last begin. */
const BEGIN = new Int32Array(1);

/** A number of at most `most` to its place, 0 where the next field is not its own. */
function readNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  own: number,
  most: number,
  to: Float64Array,
  place: number,
): number {
  if (start === NONE || start >= end || bytes[start] !== own) {
    to[place] = 0;
    return start;
  }
  const at = readVarint(bytes, start + 1, end, to, place);
  return at !== NONE && to[place]! > most ? NONE : at;
}
