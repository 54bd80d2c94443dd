import { IqLearnError, unknownName } from '../common/index.js';
import { CdrError, CdrReader, CdrWriter } from './bytes.js';
import { fieldsOf } from './definitions.js';
import { type MessageTypeName, type MessageTypes, messageTypeNames } from './generated/types.js';
import { isMessageTypeName } from './names.js';
import { type Node, struct, ValueError } from './nodes.js';

/** Largest message taken or made, in bytes: above any policy bundle, far below what would exhaust a robot. */
export const maxMessageBytes = 64 * 1024 * 1024;

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
