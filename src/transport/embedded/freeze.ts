/**
 * Freezes a message in depth, so that a change after `publish` throws. Typed arrays cannot be frozen: their contents
 * stay writable.
 */
export function freezeMessage<Message>(message: Message): Message {
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message) || Object.isFrozen(message))
    return message;
  for (const inner of Object.values(message)) freezeMessage(inner);
  return Object.freeze(message);
}
