import { FACTS, fact, TransitionRows, type TransitionShape } from '../../transition-rows.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Varints of more bytes are left to the general decoder: seven hold 49 bits, which a number holds exactly. */
const LONGEST_VARINT = 7;
const LEAST_CAPACITY = 8;
const NONE = -1;

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

/**
 * Reads protobuf messages of type Transition straight into rows. It takes what every program of ours writes: fields in
 * ascending order, each once, of the robot's name and sizes, with finite numbers. {@link read} says no to all else, and
 * leaves no trace of it; whoever asked then decodes the message as any other, which accepts it or says what is wrong.
 */
export class TransitionReader {
  readonly #shape: TransitionShape;
  readonly #robot: Uint8Array;
  #rows: TransitionRows;
  #expected = LEAST_CAPACITY;
  /** The session that was read last, and its bytes. */
  #session = '';
  #sessionBytes: Uint8Array = new Uint8Array(0);
  #bytes: Uint8Array = this.#sessionBytes;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;

  constructor(shape: TransitionShape) {
    this.#shape = shape;
    this.#robot = encoder.encode(shape.robot);
    this.#rows = new TransitionRows(shape, 0);
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
    this.#rows = new TransitionRows(this.#shape, 0);
    return rows;
  }

  /** Whether the message could be put into the next row; `place` is kept with it. */
  read(message: Uint8Array, place: number): boolean {
    if (this.#rows.length === this.#rows.capacity && !this.#grow()) return false;
    if (this.#view.buffer !== message.buffer) this.#view = new DataView(message.buffer);
    this.#bytes = message;
    this.#at = 0;
    this.#end = message.length;
    const row = this.#rows.length;
    if (!this.#fields(row) || !Number.isSafeInteger(place)) return false;
    this.#rows.set(row, fact.place, place);
    this.#rows.length += 1;
    return true;
  }

  /** Rows that are full are not copied into larger ones: whoever reads takes them first. */
  #grow(): boolean {
    if (this.#rows.length > 0) return false;
    this.#rows = new TransitionRows(this.#shape, this.#expected);
    return true;
  }

  #fields(row: number): boolean {
    const { facts, width, sessions } = this.#rows;
    const { observation: o, action: a } = this.#shape;
    const first = row * FACTS;
    const numbers = row * width;
    let next = this.#tag();
    facts[first + fact.sec] = 0;
    facts[first + fact.nanosec] = 0;
    if (next === tag.header) {
      if (!this.#header(first)) return false;
      next = this.#tag();
    }
    if (next !== tag.robot || !this.#isRobot()) return false;
    if (this.#tag() !== tag.session || !this.#readSession()) return false;
    sessions[row] = this.#session;
    next = this.#number(first + fact.sequence, this.#tag(), tag.sequence, Number.MAX_SAFE_INTEGER);
    next = this.#number(first + fact.episode, next, tag.episode, 0xffffffff);
    next = this.#number(first + fact.step, next, tag.step, 0xffffffff);
    next = this.#number(first + fact.version, next, tag.version, Number.MAX_SAFE_INTEGER);
    facts[first + fact.version] = signed(facts[first + fact.version]!);
    next = this.#number(first + fact.intervention, next, tag.intervention, 1);
    if (next !== tag.observation || !this.#floats(numbers, o)) return false;
    if (this.#tag() !== tag.action || !this.#floats(numbers + o, a)) return false;
    if (this.#tag() !== tag.next || !this.#floats(numbers + o + a, o)) return false;
    next = this.#number(first + fact.terminated, this.#tag(), tag.terminated, 1);
    next = this.#number(first + fact.truncated, next, tag.truncated, 1);
    facts[first + fact.reward] = 0;
    if (next === tag.reward) {
      if (this.#at + 8 > this.#end) return false;
      facts[first + fact.reward] = this.#view.getFloat64(this.#bytes.byteOffset + this.#at, true);
      this.#at += 8;
      next = this.#tag();
    }
    return next === NONE && this.#at === this.#end;
  }

  /** The next byte as a tag; NONE at the end of the message. Tags of two bytes are those of fields that are not read here. */
  #tag(): number {
    return this.#at < this.#end ? this.#bytes[this.#at++]! : NONE;
  }

  /** A varint of at most {@link LONGEST_VARINT} bytes before `end`; NONE for any other. */
  #varint(end: number): number {
    const at = this.#at;
    if (at >= end) return NONE;
    const byte = this.#bytes[at]!;
    if (byte >= 0x80) return this.#longVarint(end);
    this.#at = at + 1;
    return byte;
  }

  #longVarint(end: number): number {
    const bytes = this.#bytes;
    const last = Math.min(end, this.#at + LONGEST_VARINT);
    // Four bytes fit an integer of 32 bits, whose arithmetic is faster.
    let low = 0;
    let high = 0;
    for (let at = this.#at, shift = 0; at < last; at++, shift += 7) {
      const byte = bytes[at]!;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else high |= (byte & 0x7f) << (shift - 28);
      if (byte < 0x80) {
        this.#at = at + 1;
        return low + high * 2 ** 28;
      }
    }
    return NONE;
  }

  /** Reads the number to this place of the facts if the tag is its own, otherwise it is 0. Gives the tag after it, 0 for a number that cannot be. */
  #number(place: number, next: number, own: number, most: number): number {
    const { facts } = this.#rows;
    if (next !== own) {
      facts[place] = 0;
      return next;
    }
    const value = this.#varint(this.#end);
    if (value === NONE || value > most) return 0;
    facts[place] = value;
    return this.#tag();
  }

  /** The position behind a length that is read here; NONE where the bytes do not reach. */
  #behind(end: number): number {
    const length = this.#varint(end);
    return length === NONE || length > end - this.#at ? NONE : this.#at + length;
  }

  /** A header with a stamp and without a frame, to the facts from `first` on. */
  #header(first: number): boolean {
    const { facts } = this.#rows;
    const headerEnd = this.#behind(this.#end);
    if (headerEnd === NONE || this.#tag() !== 10) return false;
    const end = this.#behind(headerEnd);
    if (end !== headerEnd) return false;
    let next = this.#at < end ? this.#bytes[this.#at++]! : NONE;
    if (next === 8) {
      const sec = this.#varint(end);
      if (sec === NONE || sec > 0xffffffff) return false;
      facts[first + fact.sec] = signed(sec);
      next = this.#at < end ? this.#bytes[this.#at++]! : NONE;
    }
    if (next === 16) {
      const nanosec = this.#varint(end);
      if (nanosec === NONE || nanosec > 0xffffffff) return false;
      facts[first + fact.nanosec] = nanosec;
      next = this.#at < end ? 0 : NONE;
    }
    return next === NONE && this.#at === end;
  }

  #isRobot(): boolean {
    const end = this.#behind(this.#end);
    if (end === NONE || !this.#equals(this.#robot, end)) return false;
    this.#at = end;
    return true;
  }

  #readSession(): boolean {
    const end = this.#behind(this.#end);
    if (end === NONE) return false;
    if (!this.#equals(this.#sessionBytes, end)) {
      const bytes = this.#bytes.slice(this.#at, end);
      try {
        this.#session = decoder.decode(bytes);
      } catch {
        return false;
      }
      this.#sessionBytes = bytes;
    }
    this.#at = end;
    return true;
  }

  #equals(known: Uint8Array, end: number): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    if (end - start !== known.length) return false;
    // Names that differ do so at their ends.
    for (let i = known.length - 1; i >= 0; i--) if (known[i] !== bytes[start + i]) return false;
    return true;
  }

  /** Exactly `count` finite numbers, packed. */
  #floats(target: number, count: number): boolean {
    const end = this.#behind(this.#end);
    if (end === NONE || end - this.#at !== 4 * count) return false;
    const { numbers } = this.#rows;
    const view = this.#view;
    const start = this.#bytes.byteOffset + this.#at;
    // Zero as long as every number is finite.
    let wrong = 0;
    for (let i = 0; i < count; i++) {
      const value = view.getFloat32(start + 4 * i, true);
      wrong += value - value;
      numbers[target + i] = value;
    }
    this.#at = end;
    return wrong === 0;
  }
}

/** The signed number that a varint of a signed type stands for. */
function signed(value: number): number {
  if (value <= 0xffffffff) return (value >>> 1) ^ -(value & 1);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
