import { IqLearnError, unknownName } from '../../common/index.js';
import { isMessageTypeName, messageTypeNames, serviceTypeNames } from '../../messages/index.js';
import type { Qos, RequestedQos, TransportCapabilities } from '../transport.js';

/** Throws INVALID_ARGUMENT unless `name` is a full ROS 2 name. Every adapter takes the same names. */
export function checkName(kind: 'topic' | 'service', name: string): void {
  if (!/^(\/[A-Za-z_]\w*)+$/.test(name))
    throw new IqLearnError('INVALID_ARGUMENT', `not the name of a ${kind}`, {
      found: `'${name}'`,
      expected: 'a full ROS 2 name of letters, digits and _, as /joint_states',
    });
}

/** Throws NOT_FOUND, with the most similar known type, unless `type` is a known message type. */
export function checkMessageType(type: string): void {
  if (!isMessageTypeName(type)) throw unknownName('message type', type, messageTypeNames);
}

/** Throws NOT_FOUND, with the most similar known type, unless `type` is a known service type. */
export function checkServiceType(type: string): void {
  if (!serviceTypeNames.some((name) => name === type)) throw unknownName('service type', type, serviceTypeNames);
}

/** Throws INVALID_ARGUMENT unless the depth is a whole number of messages from 1. */
export function checkQos({ depth }: RequestedQos): void {
  if (!(Number.isInteger(depth) && depth >= 1))
    throw new IqLearnError('INVALID_ARGUMENT', 'a quality of service is wrong', {
      found: `depth ${depth}`,
      expected: 'a whole number of messages from 1',
    });
}

/** Throws UNSUPPORTED where a publisher offers to keep more messages for late subscribers than the transport can. */
export function checkOffer(topic: string, { durability, depth }: Qos, { latchedDepth }: TransportCapabilities): void {
  if (durability === 'transient_local' && depth > latchedDepth)
    throw new IqLearnError('UNSUPPORTED', `this transport cannot keep so many messages of ${topic}`, {
      found: `transient_local with depth ${depth}`,
      expected: `a depth of at most ${latchedDepth}`,
      remedy: 'publish with a smaller depth, or use another transport',
    });
}

/** Throws INVALID_ARGUMENT unless `timeoutMs` is positive and fits in 31 bits, as Node's timers need. */
export function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0 && timeoutMs <= 0x7fffffff))
    throw new IqLearnError('INVALID_ARGUMENT', 'a call needs a timeout', {
      found: `timeoutMs ${timeoutMs}`,
      expected: 'milliseconds above 0',
    });
}

/** Why a subscriber that requests this gets nothing from such a publisher, by the rules of ROS 2. Null if it gets all. */
export function incompatibility(offered: Qos, requested: RequestedQos): string | null {
  if (requested.reliability === 'reliable' && offered.reliability === 'best_effort')
    return 'reliable is requested, best_effort is offered';
  if (requested.durability === 'transient_local' && offered.durability === 'volatile')
    return 'transient_local is requested, volatile is offered';
  return null;
}
