import protobuf from 'protobufjs/minimal.js';

/** Bytes that cannot be a message of the expected type. */
export class ProtobufError extends Error {}

export type ProtobufWriter = protobuf.Writer;

/** The kinds of encoding on the wire. Groups (3 and 4) were given up by protobuf and are refused. */
export const wireType = { varint: 0, bits64: 1, bytes: 2, bits32: 5 } as const;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const createWriter = (): ProtobufWriter => protobuf.Writer.create();

/** The two halves of a 64-bit integer, as protobufjs takes them. */
export function halves(value: bigint): { readonly low: number; readonly high: number; readonly unsigned: boolean } {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
}

/** Texts that a writer remembers, and the longest of them in UTF-16 units: names come again in every message. */
const WRITTEN_TEXTS = 8192;
const LONGEST_WRITTEN = 128;

const writtenTexts = new Map<string, Uint8Array>();

export function writeText(writer: ProtobufWriter, text: string): void {
  let bytes = writtenTexts.get(text);
  if (bytes === undefined) {
    bytes = textEncoder.encode(text);
    if (text.length <= LONGEST_WRITTEN) {
      if (writtenTexts.size >= WRITTEN_TEXTS) writtenTexts.clear();
      writtenTexts.set(text, bytes);
    }
  }
  writer.bytes(bytes);
}

/** Places for strings that a reader remembers: names of robots, topics and frames come again and again. A power of two. */
const REMEMBERED_TEXTS = 8192;
const LONGEST_REMEMBERED = 128;

/** At the place of its hash, the text that was read last; two whose places are the same take turns. */
const rememberedTexts: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] = Array.from({
  length: REMEMBERED_TEXTS,
});

/** The place of a text: FNV-1a of its bytes. */
function placeOf(buffer: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ buffer[i]!, 0x01000193);
  return (hash ^ (hash >>> 15)) & (REMEMBERED_TEXTS - 1);
}

/** The text of these bytes if it is remembered at this place. */
function remembered(place: number, buffer: Uint8Array, start: number, length: number): string | undefined {
  const known = rememberedTexts[place];
  if (known === undefined || known.bytes.length !== length) return undefined;
  for (let i = 0; i < length; i++) if (known.bytes[i] !== buffer[start + i]) return undefined;
  return known.text;
}

/**
 * Reads protobuf and never past its end: every length is compared with the bytes that are left before anything is
 * allocated for it. Throws {@link ProtobufError}. It is this and not protobufjs's reader because a learner decodes a
 * hundred thousand transitions per second: 64-bit integers are read without an object for each, small arrays of numbers
 * without a buffer for each, and names that come again without decoding them again.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly length: number;
  position = 0;

  constructor(bytes: Uint8Array) {
    // Not a Buffer, whose slices would not be copies.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.length;
  }

  /** The number and the wire type of the next field. */
  tag(): number {
    return this.uint32();
  }

  /** A varint's low 32 bits: what is longer is cut, as protobuf's rules for reading a narrower type say. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtobufError(`a number of more than 10 bytes before byte ${this.position}`);
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  bool(): boolean {
    let set = false;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      if ((byte & 0x7f) !== 0) set = true;
      if (byte < 0x80) return set;
    }
    throw new ProtobufError(`a number of more than 10 bytes before byte ${this.position}`);
  }

  float(): number {
    return this.#view.getFloat32(this.#pass(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#pass(8), true);
  }

  uint64(): bigint {
    // As two halves of 28 bits and the rest: a number holds 53 bits exactly.
    let low = 0;
    let middle = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift < 49) middle += bits * 2 ** (shift - 28);
      else if (bits !== 0) return this.#longUint64(low, middle, shift, byte);
      if (byte < 0x80) return BigInt(low + middle * 2 ** 28);
    }
    throw new ProtobufError(`a number of more than 10 bytes before byte ${this.position}`);
  }

  /** Goes on with an integer of which `byte`, at `shift`, was just read. */
  #longUint64(low: number, middle: number, shift: number, byte: number): bigint {
    let value = BigInt(low) + (BigInt(middle) << 28n) + (BigInt(byte & 0x7f) << BigInt(shift));
    for (let at = shift + 7; byte >= 0x80; at += 7) {
      if (at >= 70) throw new ProtobufError(`a number of more than 10 bytes before byte ${this.position}`);
      byte = this.#byte();
      value += BigInt(byte & 0x7f) << BigInt(at);
    }
    return BigInt.asUintN(64, value);
  }

  sint64(): bigint {
    const value = this.uint64();
    return (value & 1n) === 0n ? value >> 1n : -((value >> 1n) + 1n);
  }

  /** A copy of the bytes behind a length. */
  bytes(): Uint8Array {
    const length = this.size();
    const start = this.#pass(length);
    return this.#bytes.slice(start, start + length);
  }

  /** The bytes behind a length, not copied. */
  view(): Uint8Array {
    const length = this.size();
    const start = this.#pass(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** The float32 numbers behind a length, in an array of their own. */
  floats(): Float32Array {
    const length = this.size();
    if (length % 4 !== 0) throw new ProtobufError(`a list of ${length} bytes of numbers of 4`);
    const values = new Float32Array(length >> 2);
    const start = this.#pass(length);
    if (length > 256) new Uint8Array(values.buffer).set(this.#bytes.subarray(start, start + length));
    else for (let i = 0; i < values.length; i++) values[i] = this.#view.getFloat32(start + 4 * i, true);
    return values;
  }

  text(): string {
    const length = this.size();
    const start = this.#pass(length);
    if (length === 0) return '';
    const place = length > LONGEST_REMEMBERED ? -1 : placeOf(this.#bytes, start, length);
    const known = place < 0 ? undefined : remembered(place, this.#bytes, start, length);
    if (known !== undefined) return known;
    const bytes = this.#bytes.slice(start, start + length);
    let text: string;
    try {
      text = textDecoder.decode(bytes);
    } catch {
      throw new ProtobufError(`a string at byte ${start} that is not UTF-8`);
    }
    if (place >= 0) rememberedTexts[place] = { bytes, text };
    return text;
  }

  /** A length, which the bytes that are left must cover. */
  size(): number {
    const length = this.uint32();
    const left = this.length - this.position;
    if (length > left) throw new ProtobufError(`${length} bytes wanted at byte ${this.position}, ${left} are left`);
    return length;
  }

  /** Skips the value of a field that the definition does not have. */
  skip(type: number): void {
    if (type === wireType.varint) this.bool();
    else if (type === wireType.bits64) this.#pass(8);
    else if (type === wireType.bits32) this.#pass(4);
    else if (type === wireType.bytes) this.#pass(this.size());
    else throw new ProtobufError(`a field of wire type ${type} at byte ${this.position}`);
  }

  #byte(): number {
    if (this.position >= this.length) throw new ProtobufError(`a message that ends at byte ${this.length}, too early`);
    return this.#bytes[this.position++]!;
  }

  /** Goes on by `count` bytes and gives where they begin. */
  #pass(count: number): number {
    const start = this.position;
    if (count > this.length - start)
      throw new ProtobufError(`${count} bytes wanted at byte ${start}, ${this.length - start} are left`);
    this.position = start + count;
    return start;
  }
}
