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
  numberTypes,
  unsupportedField,
  ValueError,
  wrongLength,
} from '../values.js';
import { ProtobufError, type ProtobufReader, type ProtobufWriter, wireType, writeText } from './bytes.js';
import { type ProtobufNumber, protobufNumber } from './numbers.js';
import { ownReaders } from './own-readers.js';

/** How the values of one field are written behind their tags, and read. */
interface Member {
  readonly name: string;
  /** The field's number: its place in the definition, from 1. */
  readonly number: number;
  /** The value that a message has before any of the field's bytes are read. */
  empty(): unknown;
  write(writer: ProtobufWriter, value: unknown): void;
  /** Reads one occurrence of the field; `held` is what the message has so far. */
  read(reader: ProtobufReader, type: number, held: unknown): unknown;
  /** Throws ProtobufError where the value that was read does not fit the definition. */
  finish(value: unknown): unknown;
}

type Field = Omit<Member, 'name' | 'number'>;

/** A message: the fields of its definition by their numbers. */
export interface ProtobufMessage {
  /** The message of no bytes. Throws ProtobufError where the definition wants a number of elements. */
  absent(): Record<string, unknown>;
  write(writer: ProtobufWriter, value: unknown): void;
  /** Reads the fields up to the position `end`. */
  read(reader: ProtobufReader, end: number): Record<string, unknown>;
}

function expectType(found: number, expected: number): void {
  if (found !== expected) throw new ProtobufError(`a field of wire type ${found} where ${expected} is expected`);
}

const same = (value: unknown): unknown => value;

function numberField(tag: number, type: ProtobufNumber): Field {
  return {
    empty: () => type.zero,
    write: (writer, value) => {
      type.check(value);
      if (!type.isZero(value)) type.write(writer.uint32(tag | type.wire), value);
    },
    read: (reader, wire) => {
      expectType(wire, type.wire);
      return type.read(reader);
    },
    finish: same,
  };
}

function boolField(tag: number): Field {
  return {
    empty: () => false,
    write: (writer, value) => {
      if (typeof value !== 'boolean') throw new ValueError(describe(value), 'true or false');
      if (value) writer.uint32(tag | wireType.varint).bool(true);
    },
    read: (reader, wire) => {
      expectType(wire, wireType.varint);
      return reader.bool();
    },
    finish: same,
  };
}

function textField(tag: number, upperBound: number | undefined): Field {
  return {
    empty: () => '',
    write: (writer, value) => {
      checkString(value, upperBound);
      if (value !== '') writeText(writer.uint32(tag | wireType.bytes), value);
    },
    read: (reader, wire) => {
      expectType(wire, wireType.bytes);
      return reader.text();
    },
    finish: same,
  };
}

function readMessage(message: ProtobufMessage, reader: ProtobufReader, wire: number): Record<string, unknown> {
  expectType(wire, wireType.bytes);
  const length = reader.size();
  return message.read(reader, reader.position + length);
}

/** A message inside a message is always written, also where it says nothing: a reader sees that it was there. */
function messageField(tag: number, message: ProtobufMessage): Field {
  return {
    empty: () => undefined,
    write: (writer, value) => {
      message.write(writer.uint32(tag | wireType.bytes).fork(), value);
      writer.ldelim();
    },
    read: (reader, wire) => readMessage(message, reader, wire),
    finish: (value) => value ?? message.absent(),
  };
}

function checkRead(length: number, limit: Length): void {
  const wrong = wrongLength(length, limit);
  if (wrong !== null) throw new ProtobufError(`${wrong.found} where ${wrong.expected} are allowed`);
}

/** Strings and messages: one tag for each. */
function listField(
  element: Pick<Field, 'read'> & { write(writer: ProtobufWriter, value: unknown): void },
  limit: Length,
): Field {
  return {
    empty: () => [],
    write: (writer, value) => {
      checkArray(value);
      checkLength(value.length, limit);
      value.forEach((each, i) => {
        try {
          element.write(writer, each);
        } catch (error) {
          throw located(error, `[${i}]`);
        }
      });
    },
    read: (reader, wire, held) => {
      (held as unknown[]).push(element.read(reader, wire, undefined));
      return held;
    },
    finish: (value) => {
      checkRead((value as unknown[]).length, limit);
      return value;
    },
  };
}

function textList(tag: number, upperBound: number | undefined, limit: Length): Field {
  const write = (writer: ProtobufWriter, value: unknown): void => {
    checkString(value, upperBound);
    writeText(writer.uint32(tag | wireType.bytes), value);
  };
  return listField({ write, read: textField(tag, upperBound).read }, limit);
}

/** Numbers are packed: one tag, the length in bytes, and the numbers one after the other. */
function numberList(tag: number, type: ProtobufNumber, limit: Length): Field {
  return {
    empty: () => new type.array(0),
    write: (writer, value) => {
      checkNumberArray(value);
      checkLength(value.length, limit);
      if (value.length === 0) return;
      writer.uint32(tag | wireType.bytes);
      if (type.size !== null && value instanceof type.array) {
        writer.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
        return;
      }
      writer.fork();
      for (let i = 0; i < value.length; i++) {
        try {
          type.check(value[i]);
        } catch (error) {
          throw located(error, `[${i}]`);
        }
        type.write(writer, value[i]);
      }
      writer.ldelim();
    },
    read: (reader, wire, held) => type.readMany(reader, wire, held),
    finish: (value) => {
      const array = type.finish(value);
      checkRead(array.length, limit);
      return array;
    },
  };
}

function bytesField(tag: number, limit: Length): Field {
  return {
    empty: () => new Uint8Array(0),
    write: (writer, value) => {
      checkNumberArray(value);
      checkLength(value.length, limit);
      let bytes = value as Uint8Array;
      if (!(value instanceof Uint8Array)) {
        for (let i = 0; i < value.length; i++)
          try {
            numberTypes.uint8!.check(value[i]);
          } catch (error) {
            throw located(error, `[${i}]`);
          }
        bytes = Uint8Array.from(value as ArrayLike<number>);
      }
      if (bytes.length > 0) writer.uint32(tag | wireType.bytes).bytes(bytes);
    },
    read: (reader, wire) => {
      expectType(wire, wireType.bytes);
      return reader.bytes();
    },
    finish: (value) => {
      checkRead((value as Uint8Array).length, limit);
      return value;
    },
  };
}

function fieldOf(field: MessageDefinitionField, tag: number): Field {
  const isArray = field.isArray === true;
  const limit = lengthOf(field);
  const inner = innerType(field);
  if (inner !== null) {
    const single = messageField(tag, protobufMessage(inner));
    return isArray ? listField(single, limit) : single;
  }
  if (field.type === 'string')
    return isArray ? textList(tag, field.upperBound, limit) : textField(tag, field.upperBound);
  if (field.type === 'bool' && !isArray) return boolField(tag);
  if (field.type === 'uint8' && isArray) return bytesField(tag, limit);
  const number = protobufNumber(field.type);
  if (number === undefined) throw unsupportedField(field);
  return isArray ? numberList(tag, number, limit) : numberField(tag, number);
}

/** The encoding of a type by its definition alone. */
export const generalMessage = (type: string): ProtobufMessage => compile(fieldsOf(type));

const messages = new Map<string, ProtobufMessage>();

/** The encoding of a type, 'package/Name', 'package/msg/Name' or as {@link fieldsOf} takes it. Made once for each. */
export function protobufMessage(type: string): ProtobufMessage {
  const known = messages.get(type);
  if (known !== undefined) return known;
  const general = generalMessage(type);
  const own = ownReaders[type.replace('/msg/', '/')];
  const made = own === undefined ? general : { ...general, read: own(general.read) };
  messages.set(type, made);
  return made;
}

function compile(fields: readonly MessageDefinitionField[]): ProtobufMessage {
  const members = fields.map((field, i): Member => {
    const number = i + 1;
    return { name: field.name, number, ...fieldOf(field, number << 3) };
  });
  // Lists are filled in place, so every message begins with lists of its own; all else can be shared.
  const template: Record<string, unknown> = {};
  for (const member of members) template[member.name] = member.empty();
  const lists = members.filter(({ empty }) => Array.isArray(empty()));
  const finished = members.filter(({ finish }) => finish !== same);
  const empty = (): Record<string, unknown> => {
    // A copy of the template has its hidden class at once, which is several times as fast as adding field by field.
    const value = { ...template };
    for (const { name, empty } of lists) value[name] = empty();
    return value;
  };
  const finish = (value: Record<string, unknown>): Record<string, unknown> => {
    for (const member of finished) value[member.name] = member.finish(value[member.name]);
    return value;
  };
  return {
    absent: () => finish(empty()),
    write: (writer, value) => {
      if (value === null || typeof value !== 'object') throw new ValueError(describe(value), 'an object');
      for (const member of members) {
        try {
          member.write(writer, (value as Record<string, unknown>)[member.name]);
        } catch (error) {
          throw located(error, member.name);
        }
      }
    },
    read: (reader, end) => {
      const value = empty();
      while (reader.position < end) {
        const tag = reader.tag();
        const member = members[(tag >>> 3) - 1];
        if (member === undefined) {
          if (tag >>> 3 === 0) throw new ProtobufError(`a field of number 0 before byte ${reader.position}`);
          reader.skip(tag & 7);
        } else value[member.name] = member.read(reader, tag & 7, value[member.name]);
      }
      if (reader.position > end) throw new ProtobufError(`a field that goes beyond its message, which ends at ${end}`);
      return finish(value);
    },
  };
}
