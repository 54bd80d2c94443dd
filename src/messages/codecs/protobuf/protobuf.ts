import { IqLearnError, messageOf } from '../../../common/index.js';
import { type Codec, checkWireType, maxMessageBytes, tooLarge, type WireTypeName, type WireTypes } from '../codec.js';
import { ValueError } from '../values.js';
import { createWriter, ProtobufReader } from './bytes.js';
import { type ProtobufMessage, protobufMessage } from './fields.js';

const known = new Set<string>();

function messageFor(type: string): ProtobufMessage {
  if (!known.has(type)) {
    checkWireType(type);
    known.add(type);
  }
  return protobufMessage(type);
}

function encode<Name extends WireTypeName>(type: Name, message: WireTypes[Name]): Uint8Array {
  const writer = createWriter();
  try {
    messageFor(type).write(writer, message);
  } catch (error) {
    throw error instanceof ValueError ? error.refusal(type) : error;
  }
  if (writer.len > maxMessageBytes) throw tooLarge(type, writer.len);
  return writer.finish();
}

function decode<Name extends WireTypeName>(type: Name, bytes: Uint8Array): WireTypes[Name] {
  const message = messageFor(type);
  if (bytes.length > maxMessageBytes) throw refusal(type, `${bytes.length} bytes`);
  try {
    return message.read(new ProtobufReader(bytes), bytes.length) as WireTypes[Name];
  } catch (error) {
    throw refusal(type, messageOf(error));
  }
}

function refusal(type: string, found: string): IqLearnError {
  return new IqLearnError('CORRUPT_DATA', `these bytes are no ${type}`, {
    found,
    expected: `the protobuf encoding of one message, at most ${maxMessageBytes} bytes`,
  });
}

/**
 * Protobuf (proto3) for links without DDS. Every definition of msg/ and srv/ is one protobuf message, whose fields have
 * the numbers of their places in the definition, from 1; proto/iq_learn.proto states them for other languages. Signed
 * integers are sint32 and sint64, lists of numbers are packed, uint8[] is bytes. Fields that a definition does not have are
 * skipped, groups are refused, and nothing is nested deeper than the definition nests it.
 */
export const protobuf: Codec = { name: 'protobuf', maxBytes: maxMessageBytes, encode, decode };
