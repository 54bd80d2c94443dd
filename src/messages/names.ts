import { type MessageTypeName, messageTypeNames, type ServiceTypeName, serviceTypeNames } from './generated/types.js';

const known: ReadonlySet<string> = new Set(messageTypeNames);

/** Whether `type` is one of {@link messageTypeNames}. */
export function isMessageTypeName(type: string): type is MessageTypeName {
  return known.has(type);
}

/** The message types that ROS 2 knows: all but those of the package iq_learn_link, which travel over MQTT only. */
export const rosMessageTypeNames: readonly MessageTypeName[] = messageTypeNames.filter(
  (name) => !name.startsWith('iq_learn_link/'),
);

/** The service types that ROS 2 knows, likewise. */
export const rosServiceTypeNames: readonly ServiceTypeName[] = serviceTypeNames.filter(
  (name) => !name.startsWith('iq_learn_link/'),
);
