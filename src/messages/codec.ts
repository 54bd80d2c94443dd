import { IqLearnError, unknownName } from '../common/index.js';
import { CdrError, CdrReader, CdrWriter } from './bytes.js';
import { fieldsOf, type MessageDefinitionField } from './definitions.js';
import { isMessageTypeName, type MessageTypeName, type MessageTypes, messageTypeNames } from './types.js';

/** Largest message taken or made, in bytes: above any policy bundle, far below what would exhaust a robot. */
export const maxMessageBytes = 64 * 1024 * 1024;

/** A value that does not fit its field; the path is put together on the way up. */
class ValueError extends Error {
  path = '';
  constructor(
    readonly found: string,
    readonly expected: string,
  ) {
    super();
  }

  /** The same error, seen from the parent of the field. */
  within(key: string): this {
    this.path = this.path === '' || this.path.startsWith('[') ? key + this.path : `${key}.${this.path}`;
    return this;
  }
}

/** How values of one type are written, read and made. `minBytes` bounds how many can hide in n bytes. */
interface Node {
  readonly minBytes: number;
  write(writer: CdrWriter, value: unknown): void;
  read(reader: CdrReader): unknown;
  empty(): unknown;
}

function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') return typeof value === 'string' ? `'${value}'` : String(value);
  return value.constructor?.name ?? 'object';
}

type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

interface NumberNode extends Node {
  readonly size: number;
  readonly array: {
    new (length: number): TypedArray;
    new (buffer: ArrayBuffer): TypedArray;
  };
}

function integer(bits: 8 | 16 | 32, signed: boolean, array: NumberNode['array']): NumberNode {
  const size = bits / 8;
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const get = `get${signed ? 'Int' : 'Uint'}${bits}` as const;
  const set = `set${signed ? 'Int' : 'Uint'}${bits}` as const;
  return {
    size,
    minBytes: size,
    array,
    write: (writer, value) => {
      if (!Number.isInteger(value) || (value as number) < low || (value as number) > high)
        throw new ValueError(describe(value), `an integer in ${low}…${high}`);
      const [view, at] = writer.slot(size);
      view[set](at, value as number, true);
    },
    read: (reader) => {
      const [view, at] = reader.slot(size);
      return view[get](at, reader.littleEndian);
    },
    empty: () => 0,
  };
}

function bigInteger(signed: boolean, array: NumberNode['array']): NumberNode {
  const low = signed ? -(2n ** 63n) : 0n;
  const high = signed ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  return {
    size: 8,
    minBytes: 8,
    array,
    write: (writer, value) => {
      if (typeof value !== 'bigint' || value < low || value > high)
        throw new ValueError(describe(value), `a bigint in ${low}…${high}`);
      const [view, at] = writer.slot(8);
      view.setBigUint64(at, BigInt.asUintN(64, value), true);
    },
    read: (reader) => {
      const [view, at] = reader.slot(8);
      return signed ? view.getBigInt64(at, reader.littleEndian) : view.getBigUint64(at, reader.littleEndian);
    },
    empty: () => 0n,
  };
}

function float(bits: 32 | 64, array: NumberNode['array']): NumberNode {
  const size = bits / 8;
  const get = `getFloat${bits}` as const;
  const set = `setFloat${bits}` as const;
  return {
    size,
    minBytes: size,
    array,
    write: (writer, value) => {
      if (typeof value !== 'number') throw new ValueError(describe(value), 'a number');
      const [view, at] = writer.slot(size);
      view[set](at, value, true);
    },
    read: (reader) => {
      const [view, at] = reader.slot(size);
      return view[get](at, reader.littleEndian);
    },
    empty: () => 0,
  };
}

const numbers: Readonly<Record<string, NumberNode>> = {
  int8: integer(8, true, Int8Array),
  uint8: integer(8, false, Uint8Array),
  int16: integer(16, true, Int16Array),
  uint16: integer(16, false, Uint16Array),
  int32: integer(32, true, Int32Array),
  uint32: integer(32, false, Uint32Array),
  int64: bigInteger(true, BigInt64Array),
  uint64: bigInteger(false, BigUint64Array),
  float32: float(32, Float32Array),
  float64: float(64, Float64Array),
};

const boolean: Node = {
  minBytes: 1,
  write: (writer, value) => {
    if (typeof value !== 'boolean') throw new ValueError(describe(value), 'true or false');
    const [view, at] = writer.slot(1);
    view.setUint8(at, value ? 1 : 0);
  },
  read: (reader) => {
    const [view, at] = reader.slot(1);
    const byte = view.getUint8(at);
    if (byte > 1) throw new CdrError(`a bool of ${byte} at byte ${at}`);
    return byte === 1;
  },
  empty: () => false,
};

function text(upperBound: number | undefined): Node {
  return {
    minBytes: 4,
    write: (writer, value) => {
      if (typeof value !== 'string') throw new ValueError(describe(value), 'a string');
      if (upperBound !== undefined && value.length > upperBound)
        throw new ValueError(`${value.length} characters`, `at most ${upperBound}`);
      writer.string(value);
    },
    read: (reader) => reader.string(),
    empty: () => '',
  };
}

function struct(fields: readonly MessageDefinitionField[]): Node {
  const members = fields.map((field) => ({ name: field.name, node: nodeOf(field), defaultValue: field.defaultValue }));
  return {
    // rosidl gives a message without fields one byte, which no type here needs
    minBytes: members.reduce((sum, { node }) => sum + node.minBytes, 0),
    write: (writer, value) => {
      if (value === null || typeof value !== 'object') throw new ValueError(describe(value), 'an object');
      for (const { name, node } of members) {
        try {
          node.write(writer, (value as Record<string, unknown>)[name]);
        } catch (error) {
          throw error instanceof ValueError ? error.within(name) : error;
        }
      }
    },
    read: (reader) => {
      const value: Record<string, unknown> = {};
      for (const { name, node } of members) value[name] = node.read(reader);
      return value;
    },
    empty: () =>
      Object.fromEntries(members.map(({ name, node, defaultValue }) => [name, defaultValue ?? node.empty()])),
  };
}

interface Length {
  readonly exact: number | undefined;
  readonly most: number | undefined;
}

function writeLength(writer: CdrWriter, length: number, { exact, most }: Length): void {
  if (exact !== undefined && length !== exact) throw new ValueError(`${length} elements`, `exactly ${exact}`);
  if (most !== undefined && length > most) throw new ValueError(`${length} elements`, `at most ${most}`);
  if (exact === undefined) writer.uint32(length);
}

function readLength(reader: CdrReader, minBytes: number, { exact, most }: Length): number {
  const length = exact ?? reader.sequenceLength(minBytes);
  if (most !== undefined && length > most) throw new CdrError(`${length} elements where at most ${most} are allowed`);
  return length;
}

function arrayOf(element: Node, length: Length): Node {
  return {
    minBytes: length.exact === undefined ? 4 : length.exact * element.minBytes,
    write: (writer, value) => {
      if (!Array.isArray(value)) throw new ValueError(describe(value), 'an array');
      writeLength(writer, value.length, length);
      for (let i = 0; i < value.length; i++) {
        try {
          element.write(writer, value[i]);
        } catch (error) {
          throw error instanceof ValueError ? error.within(`[${i}]`) : error;
        }
      }
    },
    read: (reader) => {
      const count = readLength(reader, element.minBytes, length);
      const values: unknown[] = [];
      for (let i = 0; i < count; i++) values.push(element.read(reader));
      return values;
    },
    empty: () => Array.from({ length: length.exact ?? 0 }, () => element.empty()),
  };
}

function numberArrayOf(element: NumberNode, length: Length): Node {
  return {
    minBytes: length.exact === undefined ? 4 : length.exact * element.minBytes,
    write: (writer, value) => {
      if (value instanceof element.array) {
        writeLength(writer, value.length, length);
        writer.block(value, element.size);
        return;
      }
      if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && !(value instanceof DataView)))
        throw new ValueError(describe(value), 'an array of numbers');
      const values = value as ArrayLike<unknown>;
      writeLength(writer, values.length, length);
      for (let i = 0; i < values.length; i++) {
        try {
          element.write(writer, values[i]);
        } catch (error) {
          throw error instanceof ValueError ? error.within(`[${i}]`) : error;
        }
      }
    },
    read: (reader) => {
      const count = readLength(reader, element.size, length);
      return new element.array(reader.block(element.size, count));
    },
    empty: () => new element.array(length.exact ?? 0),
  };
}

function scalarOf(field: MessageDefinitionField): Node {
  if (field.isComplex === true) return struct(fieldsOf(field.type));
  if (field.type === 'time') return struct(fieldsOf('builtin_interfaces/Time'));
  if (field.type === 'duration') return struct(fieldsOf('builtin_interfaces/Duration'));
  if (field.type === 'bool') return boolean;
  if (field.type === 'string') return text(field.upperBound);
  const number = numbers[field.type];
  if (number === undefined)
    throw new IqLearnError('UNSUPPORTED', 'a field type that has no portable encoding', {
      found: `${field.type} ${field.name}`,
      expected: `bool, string, ${Object.keys(numbers).join(', ')}`,
    });
  return number;
}

function nodeOf(field: MessageDefinitionField): Node {
  if (field.isArray !== true) return scalarOf(field);
  const length = { exact: field.arrayLength, most: field.arrayUpperBound };
  const number = field.isComplex === true ? undefined : numbers[field.type];
  return number === undefined ? arrayOf(scalarOf(field), length) : numberArrayOf(number, length);
}

const nodes = new Map<string, Node>();

function codecOf(type: MessageTypeName): Node {
  let node = nodes.get(type);
  if (node === undefined) {
    if (!isMessageTypeName(type)) throw unknownName('message type', type, messageTypeNames);
    node = struct(fieldsOf(type));
    nodes.set(type, node);
  }
  return node;
}

/**
 * The CDR bytes (little-endian, with the four bytes of the encapsulation header) of a message, as ROS 2 puts them on
 * the wire and into recordings. Throws INVALID_ARGUMENT naming the field that does not fit its type; a missing field
 * does not. NaN and infinities are valid floats and pass.
 */
export function encode<Name extends MessageTypeName>(type: Name, message: MessageTypes[Name]): Uint8Array {
  const node = codecOf(type);
  const writer = new CdrWriter();
  try {
    node.write(writer, message);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new IqLearnError('INVALID_ARGUMENT', `a message is no ${type}`, {
      found: `${error.path === '' ? 'the message' : error.path} = ${error.found}`,
      expected: error.expected,
    });
  }
  const bytes = writer.finish();
  if (bytes.length > maxMessageBytes)
    throw new IqLearnError('INVALID_ARGUMENT', `a ${type} is too large to send`, {
      found: `${bytes.length} bytes`,
      expected: `at most ${maxMessageBytes} bytes`,
    });
  return bytes;
}

/**
 * The message in CDR bytes of either byte order. Number arrays are typed arrays of their own (`bytes` may be reused).
 * Throws CORRUPT_DATA for anything that is not exactly one message of the type: never reads past the end, never
 * allocates more than the bytes could hold.
 */
export function decode<Name extends MessageTypeName>(type: Name, bytes: Uint8Array): MessageTypes[Name] {
  const node = codecOf(type);
  try {
    if (bytes.length > maxMessageBytes) throw new CdrError(`${bytes.length} bytes`);
    const reader = new CdrReader(bytes);
    const message = node.read(reader);
    // middlewares pad the payload to a multiple of four
    if (reader.remaining > 3) throw new CdrError(`${reader.remaining} bytes behind the message`);
    return message as MessageTypes[Name];
  } catch (error) {
    if (!(error instanceof CdrError)) throw error;
    throw new IqLearnError('CORRUPT_DATA', `these bytes are no ${type}`, {
      found: error.message,
      expected: `the CDR encoding of one message, at most ${maxMessageBytes} bytes`,
    });
  }
}

/** A message with every field at its default: zero, false, '', empty or as the definition says (a quaternion's w is 1). */
export function emptyMessage<Name extends MessageTypeName>(type: Name): MessageTypes[Name] {
  return codecOf(type).empty() as MessageTypes[Name];
}
