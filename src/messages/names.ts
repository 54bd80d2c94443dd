import { type MessageTypeName, messageTypeNames } from './generated/types.js';

const known: ReadonlySet<string> = new Set(messageTypeNames);

/** Whether `type` is one of {@link messageTypeNames}. */
export function isMessageTypeName(type: string): type is MessageTypeName {
  return known.has(type);
}
