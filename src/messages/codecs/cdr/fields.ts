import { fieldsOf, type MessageDefinitionField } from '../../definitions.js';
import {
  checkArray,
  checkLength,
  checkNumberArray,
  checkString,
  describe,
  innerType,
  type Length,
  lengthOf,
  located,
  type NumberType,
  numberTypes,
  unsupportedField,
  ValueError,
  wrongLength,
} from '../values.js';
import { CdrError, type CdrReader, type CdrWriter } from './bytes.js';

/** How values of one type are written and read. */
export interface CdrField {
  /** Fewest bytes that a value takes: bounds how many values a number of bytes can hold. */
  readonly minBytes: number;
  write(writer: CdrWriter, value: unknown): void;
  read(reader: CdrReader): unknown;
}

/** A number that JavaScript has as `number`, by the accessors of a DataView that fit its type. */
function plainNumber(type: NumberType, accessor: Accessor): CdrField {
  const size = type.bits / 8;
  const get = `get${accessor}` as const;
  const set = `set${accessor}` as const;
  return {
    minBytes: size,
    write: (writer, value) => {
      type.check(value);
      const [view, at] = writer.slot(size);
      view[set](at, value as number, true);
    },
    read: (reader) => {
      const [view, at] = reader.slot(size);
      return view[get](at, reader.littleEndian);
    },
  };
}

type Accessor = `${'Int' | 'Uint'}${8 | 16 | 32}` | `Float${32 | 64}`;

function bigInteger(type: NumberType): CdrField {
  const signed = type.kind === 'int';
  return {
    minBytes: 8,
    write: (writer, value) => {
      type.check(value);
      const [view, at] = writer.slot(8);
      view.setBigUint64(at, BigInt.asUintN(64, value as bigint), true);
    },
    read: (reader) => {
      const [view, at] = reader.slot(8);
      return signed ? view.getBigInt64(at, reader.littleEndian) : view.getBigUint64(at, reader.littleEndian);
    },
  };
}

const fieldOfNumber = (type: NumberType): CdrField => {
  if (type.kind !== 'float' && type.bits === 64) return bigInteger(type);
  const names = { int: 'Int', uint: 'Uint', float: 'Float' } as const;
  return plainNumber(type, `${names[type.kind]}${type.bits}` as Accessor);
};

const boolean: CdrField = {
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
};

function string(upperBound: number | undefined): CdrField {
  return {
    minBytes: 4,
    write: (writer, value) => {
      checkString(value, upperBound);
      writer.string(value);
    },
    read: (reader) => reader.string(),
  };
}

/** ROS 2 gives a message without fields one byte, which says nothing. */
const nothing: CdrField = {
  minBytes: 1,
  write: (writer, value) => {
    if (value === null || typeof value !== 'object') throw new ValueError(describe(value), 'an object');
    const [view, at] = writer.slot(1);
    view.setUint8(at, 0);
  },
  read: (reader) => {
    reader.slot(1);
    return {};
  },
};

/** A message: its fields one after the other. `type` is 'package/Name' or as {@link fieldsOf} takes it. */
export function cdrMessage(type: string): CdrField {
  const members = fieldsOf(type).map((field) => ({ name: field.name, field: fieldOf(field) }));
  if (members.length === 0) return nothing;
  return {
    minBytes: members.reduce((sum, { field }) => sum + field.minBytes, 0),
    write: (writer, value) => {
      if (value === null || typeof value !== 'object') throw new ValueError(describe(value), 'an object');
      for (const { name, field } of members) {
        try {
          field.write(writer, (value as Record<string, unknown>)[name]);
        } catch (error) {
          throw located(error, name);
        }
      }
    },
    read: (reader) => {
      const value: Record<string, unknown> = {};
      for (const { name, field } of members) value[name] = field.read(reader);
      return value;
    },
  };
}

function writeLength(writer: CdrWriter, length: number, limit: Length): void {
  checkLength(length, limit);
  if (limit.exact === undefined) writer.uint32(length);
}

function readLength(reader: CdrReader, minBytes: number, limit: Length): number {
  const length = limit.exact ?? reader.sequenceLength(minBytes);
  const wrong = wrongLength(length, limit);
  if (wrong !== null) throw new CdrError(`${wrong.found} where ${wrong.expected} are allowed`);
  return length;
}

function writeElements(writer: CdrWriter, element: CdrField, values: ArrayLike<unknown>): void {
  for (let i = 0; i < values.length; i++) {
    try {
      element.write(writer, values[i]);
    } catch (error) {
      throw located(error, `[${i}]`);
    }
  }
}

function arrayOf(element: CdrField, limit: Length): CdrField {
  return {
    minBytes: limit.exact === undefined ? 4 : limit.exact * element.minBytes,
    write: (writer, value) => {
      checkArray(value);
      writeLength(writer, value.length, limit);
      writeElements(writer, element, value);
    },
    read: (reader) => {
      const count = readLength(reader, element.minBytes, limit);
      const values: unknown[] = [];
      for (let i = 0; i < count; i++) values.push(element.read(reader));
      return values;
    },
  };
}

function numberArrayOf(type: NumberType, limit: Length): CdrField {
  const element = fieldOfNumber(type);
  const size = type.bits / 8;
  return {
    minBytes: limit.exact === undefined ? 4 : limit.exact * size,
    write: (writer, value) => {
      if (value instanceof type.array) {
        writeLength(writer, value.length, limit);
        writer.block(value, size);
        return;
      }
      checkNumberArray(value);
      writeLength(writer, value.length, limit);
      writeElements(writer, element, value);
    },
    read: (reader) => new type.array(reader.block(size, readLength(reader, size, limit))),
  };
}

function scalarOf(field: MessageDefinitionField): CdrField {
  const inner = innerType(field);
  if (inner !== null) return cdrMessage(inner);
  if (field.type === 'bool') return boolean;
  if (field.type === 'string') return string(field.upperBound);
  const number = numberTypes[field.type];
  if (number === undefined) throw unsupportedField(field);
  return fieldOfNumber(number);
}

function fieldOf(field: MessageDefinitionField): CdrField {
  if (field.isArray !== true) return scalarOf(field);
  const number = field.isComplex === true ? undefined : numberTypes[field.type];
  return number === undefined ? arrayOf(scalarOf(field), lengthOf(field)) : numberArrayOf(number, lengthOf(field));
}
