import { IqLearnError } from '../common/index.js';
import { CdrError, type CdrReader, type CdrWriter } from './bytes.js';
import { fieldsOf, type MessageDefinitionField } from './definitions.js';

/** A value that does not fit its field; the path is put together on the way up. */
export class ValueError extends Error {
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
export interface Node {
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

export function struct(fields: readonly MessageDefinitionField[]): Node {
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
