import { IqLearnError } from '../../../common/index.js';
import { type Codec, checkWireType, maxMessageBytes, tooLarge, type WireTypeName, type WireTypes } from '../codec.js';
import { ValueError } from '../values.js';
import { CdrError, CdrReader, CdrWriter } from './bytes.js';
import { type CdrField, cdrMessage } from './fields.js';

const messages = new Map<string, CdrField>();

function fieldOf(type: string): CdrField {
  let found = messages.get(type);
  if (found === undefined) {
    checkWireType(type);
    found = cdrMessage(type);
    messages.set(type, found);
  }
  return found;
}

function encode<Name extends WireTypeName>(type: Name, message: WireTypes[Name]): Uint8Array {
  const field = fieldOf(type);
  const writer = new CdrWriter();
  try {
    field.write(writer, message);
  } catch (error) {
    throw error instanceof ValueError ? error.refusal(type) : error;
  }
  const bytes = writer.finish();
  if (bytes.length > maxMessageBytes) throw tooLarge(type, bytes.length);
  return bytes;
}

function decode<Name extends WireTypeName>(type: Name, bytes: Uint8Array): WireTypes[Name] {
  const field = fieldOf(type);
  try {
    if (bytes.length > maxMessageBytes) throw new CdrError(`${bytes.length} bytes`);
    const reader = new CdrReader(bytes);
    const message = field.read(reader);
    // Middlewares pad the payload to a multiple of four.
    if (reader.remaining > 3) throw new CdrError(`${reader.remaining} bytes behind the message`);
    return message as WireTypes[Name];
  } catch (error) {
    if (!(error instanceof CdrError)) throw error;
    throw new IqLearnError('CORRUPT_DATA', `these bytes are no ${type}`, {
      found: error.message,
      expected: `the CDR encoding of one message, at most ${maxMessageBytes} bytes`,
    });
  }
}

/**
 * CDR as ROS 2 puts it on the wire and into recordings: little-endian, behind the four bytes of the encapsulation
 * header. Both byte orders are read. Never reads past the end, never allocates more than the bytes could hold.
 */
export const cdr: Codec = { name: 'cdr', maxBytes: maxMessageBytes, encode, decode };
