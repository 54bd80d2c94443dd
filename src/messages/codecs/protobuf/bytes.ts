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

export function writeText(writer: ProtobufWriter, text: string): void {
  writer.bytes(textEncoder.encode(text));
}

/** What protobufjs gives for a 64-bit integer: a Long. */
interface Long {
  readonly low: number;
  readonly high: number;
}

/**
 * Reads protobuf and never past its end: every length is compared with the bytes that are left before anything is
 * allocated for it. Throws {@link ProtobufError}.
 */
export class ProtobufReader {
  readonly #reader: protobuf.Reader;

  constructor(bytes: Uint8Array) {
    // Not a Buffer, whose slices would not be copies.
    this.#reader = protobuf.Reader.create(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  get position(): number {
    return this.#reader.pos;
  }

  get length(): number {
    return this.#reader.len;
  }

  /** The number and the wire type of the next field. */
  tag(): number {
    return this.#reader.uint32();
  }

  uint32(): number {
    return this.#reader.uint32();
  }

  sint32(): number {
    return this.#reader.sint32();
  }

  bool(): boolean {
    return this.#reader.bool();
  }

  float(): number {
    return this.#reader.float();
  }

  double(): number {
    return this.#reader.double();
  }

  uint64(): bigint {
    const { low, high } = this.#reader.uint64() as unknown as Long;
    return high === 0 ? BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  sint64(): bigint {
    const { low, high } = this.#reader.sint64() as unknown as Long;
    return (BigInt(high) << 32n) | BigInt(low >>> 0);
  }

  /** A copy of the bytes behind a length. */
  bytes(): Uint8Array {
    const length = this.size();
    const start = this.#reader.pos;
    this.#reader.skip(length);
    return this.#reader.buf.slice(start, start + length);
  }

  text(): string {
    const length = this.size();
    const start = this.#reader.pos;
    this.#reader.skip(length);
    if (length === 0) return '';
    try {
      return textDecoder.decode(this.#reader.buf.subarray(start, start + length));
    } catch {
      throw new ProtobufError(`a string at byte ${start} that is not UTF-8`);
    }
  }

  /** A length, which the bytes that are left must cover. */
  size(): number {
    const length = this.#reader.uint32();
    const left = this.#reader.len - this.#reader.pos;
    if (length > left) throw new ProtobufError(`${length} bytes wanted at byte ${this.position}, ${left} are left`);
    return length;
  }

  /** Skips the value of a field that the definition does not have. */
  skip(type: number): void {
    if (type === wireType.varint) this.#reader.skip();
    else if (type === wireType.bits64) this.#reader.skip(8);
    else if (type === wireType.bits32) this.#reader.skip(4);
    else if (type === wireType.bytes) this.#reader.skip(this.size());
    else throw new ProtobufError(`a field of wire type ${type} at byte ${this.position}`);
  }
}
