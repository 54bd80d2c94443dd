/**
 * Freezes a message and the objects in it, so that a change after `publish` throws. Nodes on one embedded broker share
 * message objects, and a test of any node can switch this on to find a node that writes into them. Typed arrays cannot
 * be frozen: their contents stay writable.
 */
export function freezeMessage<Message>(message: Message): Message {
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message) || Object.isFrozen(message))
    return message;
  for (const inner of Object.values(message)) freezeMessage(inner);
  return Object.freeze(message);
}
