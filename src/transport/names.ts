import { IqLearnError, unknownName } from '../common/index.js';
import { isMessageTypeName, messageTypeNames, serviceTypeNames } from '../messages/index.js';
import type { Qos } from './transport.js';

/** Refuses what is no full ROS 2 name (INVALID_ARGUMENT): every adapter takes the same names. */
export function checkName(kind: 'topic' | 'service', name: string): void {
  if (!/^(\/[A-Za-z_]\w*)+$/.test(name))
    throw new IqLearnError('INVALID_ARGUMENT', `not the name of a ${kind}`, {
      found: `'${name}'`,
      expected: 'a full ROS 2 name of letters, digits and _, as /joint_states',
    });
}

/** Refuses an unknown message type: NOT_FOUND, with the nearest known one. */
export function checkMessageType(type: string): void {
  if (!isMessageTypeName(type)) throw unknownName('message type', type, messageTypeNames);
}

/** Refuses an unknown service type: NOT_FOUND, with the nearest known one. */
export function checkServiceType(type: string): void {
  if (!serviceTypeNames.some((name) => name === type)) throw unknownName('service type', type, serviceTypeNames);
}

/** Refuses a depth that is no number of messages: INVALID_ARGUMENT. */
export function checkQos({ depth }: Qos): void {
  if (!(Number.isInteger(depth) && depth >= 1))
    throw new IqLearnError('INVALID_ARGUMENT', 'a quality of service is wrong', {
      found: `depth ${depth}`,
      expected: 'a whole number of messages from 1',
    });
}

/** Why a subscriber cannot have what a publisher offers (the rules of ROS 2), or null. */
export function incompatibility(offered: Qos, requested: Qos): string | null {
  if (requested.reliability === 'reliable' && offered.reliability === 'best_effort')
    return 'reliable is requested, best_effort is offered';
  if (requested.durability === 'transient_local' && offered.durability === 'volatile')
    return 'transient_local is requested, volatile is offered';
  return null;
}
