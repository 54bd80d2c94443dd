import { describe, numberTypes, ValueError } from '../values.js';
import { halves, ProtobufError, type ProtobufReader, type ProtobufWriter, wireType } from './bytes.js';

type NumberArray = ArrayLike<unknown> & ArrayBufferView;

/** How a number type of message definitions is written in protobuf. */
export interface ProtobufNumber {
  readonly wire: number;
  /** Bytes of each number where that is fixed; null for variable lengths. */
  readonly size: 4 | 8 | null;
  readonly zero: unknown;
  readonly array: { new (length: number): NumberArray };
  /** Throws ValueError. */
  check(value: unknown): void;
  /** Whether proto3 leaves the value out. Minus zero is not left out. */
  isZero(value: unknown): boolean;
  write(writer: ProtobufWriter, value: unknown): void;
  /** Throws ProtobufError for a number that the definition's type does not hold. */
  read(reader: ProtobufReader): unknown;
  /** Reads one occurrence of a list, packed or not, behind `held`. */
  readMany(reader: ProtobufReader, wire: number, held: unknown): unknown;
  /** The list as an array of its own. */
  finish(held: unknown): NumberArray;
}

type Core = Omit<ProtobufNumber, 'readMany' | 'finish'>;

/** Lists of numbers whose length varies are gathered in a plain array first. */
function varying(core: Core, make: (values: never[]) => NumberArray): ProtobufNumber {
  return {
    ...core,
    readMany: (reader, wire, held) => {
      const values = Array.isArray(held) ? held : [];
      if (wire === core.wire) values.push(core.read(reader));
      else if (wire === wireType.bytes) {
        const length = reader.size();
        const end = reader.position + length;
        while (reader.position < end) values.push(core.read(reader));
        if (reader.position > end) throw new ProtobufError('a number that goes beyond its list');
      } else throw new ProtobufError(`a list of numbers of wire type ${wire}`);
      return values;
    },
    finish: (held) => (Array.isArray(held) ? make(held as never[]) : (held as NumberArray)),
  };
}

/** Lists of numbers of fixed length are the bytes of a typed array. */
function fixed(core: Core, make: (bytes: Uint8Array) => NumberArray): ProtobufNumber {
  const size = core.size!;
  const isSingle = size === 4;
  return {
    ...core,
    readMany: (reader, wire, held) => {
      const before = held as NumberArray;
      if (wire === wireType.bytes && isSingle && before.length === 0) return reader.floats();
      if (wire === wireType.bytes) {
        const bytes = reader.bytes();
        if (bytes.length % size !== 0) throw new ProtobufError(`a list of ${bytes.length} bytes of numbers of ${size}`);
        return before.length === 0 ? make(bytes) : joined(before, make(bytes), make);
      }
      if (wire !== core.wire) throw new ProtobufError(`a list of numbers of wire type ${wire}`);
      const one = new core.array(1);
      (one as unknown as unknown[])[0] = core.read(reader);
      return joined(before, one, make);
    },
    finish: (held) => held as NumberArray,
  };
}

function joined(a: NumberArray, b: NumberArray, make: (bytes: Uint8Array) => NumberArray): NumberArray {
  const bytes = new Uint8Array(a.byteLength + b.byteLength);
  bytes.set(new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  bytes.set(new Uint8Array(b.buffer, b.byteOffset, b.byteLength), a.byteLength);
  return make(bytes);
}

/** What was read, if the definition's type (smaller than protobuf's) holds it. */
function within(type: string, value: unknown): unknown {
  try {
    numberTypes[type]!.check(value);
  } catch {
    throw new ProtobufError(`${value} where ${type} is expected`);
  }
  return value;
}

function integer(type: string): ProtobufNumber {
  const { kind, array, check } = numberTypes[type]!;
  const signed = kind === 'int';
  const core: Core = {
    wire: wireType.varint,
    size: null,
    zero: 0,
    array: array as never,
    check,
    isZero: (value) => value === 0,
    write: (writer, value) => {
      if (signed) writer.sint32(value as number);
      else writer.uint32(value as number);
    },
    read: (reader) => within(type, signed ? reader.sint32() : reader.uint32()),
  };
  return varying(core, (values) => (array as unknown as { from(values: never[]): NumberArray }).from(values));
}

function bigInteger(type: string): ProtobufNumber {
  const { kind, array, check } = numberTypes[type]!;
  const signed = kind === 'int';
  const core: Core = {
    wire: wireType.varint,
    size: null,
    zero: 0n,
    array: array as never,
    check,
    isZero: (value) => value === 0n,
    write: (writer, value) => {
      if (signed) writer.sint64(halves(value as bigint) as never);
      else writer.uint64(halves(value as bigint) as never);
    },
    read: (reader) => (signed ? reader.sint64() : reader.uint64()),
  };
  return varying(core, (values) => (array as unknown as { from(values: never[]): NumberArray }).from(values));
}

function float(type: 'float32' | 'float64'): ProtobufNumber {
  const { array, check } = numberTypes[type]!;
  const single = type === 'float32';
  const core: Core = {
    wire: single ? wireType.bits32 : wireType.bits64,
    size: single ? 4 : 8,
    zero: 0,
    array: array as never,
    check,
    isZero: (value) => Object.is(value, 0) || (single && Object.is(Math.fround(value as number), 0)),
    write: (writer, value) => {
      if (single) writer.float(value as number);
      else writer.double(value as number);
    },
    read: (reader) => (single ? reader.float() : reader.double()),
  };
  // The bytes that were read are a copy in a buffer of its own, aligned as the typed array needs.
  return fixed(core, (bytes) => new array(bytes.buffer as ArrayBuffer) as unknown as NumberArray);
}

/** Lists of bool, which are rare: varints of 0 and 1 in a plain array. */
const bools: ProtobufNumber = {
  ...varying(
    {
      wire: wireType.varint,
      size: null,
      zero: false,
      array: Array as never,
      check: (value) => {
        if (typeof value !== 'boolean') throw new ValueError(describe(value), 'true or false');
      },
      isZero: (value) => value === false,
      write: (writer, value) => void writer.bool(value as boolean),
      read: (reader) => reader.bool(),
    },
    (values) => values as never,
  ),
};

const numbers: Readonly<Record<string, ProtobufNumber>> = {
  bool: bools,
  ...Object.fromEntries(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'].map((type) => [type, integer(type)])),
  int64: bigInteger('int64'),
  uint64: bigInteger('uint64'),
  float32: float('float32'),
  float64: float('float64'),
};

/** How protobuf writes a number type of definitions; undefined for a type that is no number. */
export function protobufNumber(type: string): ProtobufNumber | undefined {
  return numbers[type];
}
