import { IqLearnError, unknownName } from '../../common/index.js';
import {
  type MessageTypeName,
  type MessageTypes,
  messageTypeNames,
  type ServiceTypeName,
  type ServiceTypes,
  serviceTypeNames,
} from '../generated/types.js';

type Requests = { [Name in ServiceTypeName as `${Name}_Request`]: ServiceTypes[Name]['request'] };
type Responses = { [Name in ServiceTypeName as `${Name}_Response`]: ServiceTypes[Name]['response'] };
/** Everything that can be encoded: messages, and requests and responses of services as pkg/srv/Name_Request. */
export type WireTypes = MessageTypes & Requests & Responses;
export type WireTypeName = MessageTypeName | keyof Requests | keyof Responses;

/** How messages become bytes and bytes become messages. */
export interface Codec {
  /** Name of the encoding, as a link or a file states it. */
  readonly name: string;
  /** Largest message encoded or decoded, in bytes. */
  readonly maxBytes: number;
  /**
   * The bytes of a message. Throws INVALID_ARGUMENT naming the field that does not fit its type; a missing field does
   * not. NaN and infinities are valid floats and pass.
   */
  encode<Name extends WireTypeName>(type: Name, message: WireTypes[Name]): Uint8Array;
  /**
   * The message in `bytes`. Number arrays are typed arrays of their own, so `bytes` may be reused. Throws CORRUPT_DATA
   * for anything that is not exactly one message of the type; more than `maxBytes` are refused before a byte is read.
   */
  decode<Name extends WireTypeName>(type: Name, bytes: Uint8Array): WireTypes[Name];
}

/** Largest message, in bytes: above any policy bundle, far below what would exhaust a robot's memory. */
export const maxMessageBytes = 64 * 1024 * 1024;

const wireTypeNames: ReadonlySet<string> = new Set([
  ...messageTypeNames,
  ...serviceTypeNames.flatMap((name) => [`${name}_Request`, `${name}_Response`]),
]);

/** Throws NOT_FOUND, proposing the nearest type, unless `type` is one that can be encoded. */
export function checkWireType(type: string): void {
  if (!wireTypeNames.has(type)) throw unknownName('message type', type, messageTypeNames);
}

/** The error for a message that would take too many bytes. */
export function tooLarge(type: string, bytes: number): IqLearnError {
  return new IqLearnError('INVALID_ARGUMENT', `a ${type} is too large to send`, {
    found: `${bytes} bytes`,
    expected: `at most ${maxMessageBytes} bytes`,
  });
}
