import { cdr } from './codecs/cdr/cdr.js';
import type { MessageTypeName, MessageTypes } from './generated/types.js';

/** The CDR bytes of a message, as ROS 2 has them on the wire and in recordings; see {@link cdr}. */
export function encode<Name extends MessageTypeName>(type: Name, message: MessageTypes[Name]): Uint8Array {
  return cdr.encode(type, message as never);
}

/** The message in CDR bytes; see {@link cdr}. */
export function decode<Name extends MessageTypeName>(type: Name, bytes: Uint8Array): MessageTypes[Name] {
  return cdr.decode(type, bytes) as MessageTypes[Name];
}
