import type { PackedError } from '../../common/index.js';
import type { MessageTypeName, ServiceTypeName } from '../../messages/index.js';
import type { Qos } from '../transport.js';

/** From the thread that takes part to the broker. Ids are the sender's own. */
export type ToBroker =
  | { op: 'advertise'; id: number; topic: string; type: MessageTypeName; qos: Qos | undefined }
  | { op: 'publish'; id: number; message: unknown }
  | { op: 'subscribe'; id: number; topic: string; type: MessageTypeName; qos: Qos | undefined }
  | { op: 'handled'; id: number; count: number }
  | { op: 'serve'; id: number; service: string; type: ServiceTypeName }
  | { op: 'answer'; call: number; answer: Answer }
  | { op: 'call'; id: number; service: string; type: ServiceTypeName; request: unknown; timeoutMs: number }
  | { op: 'end'; id: number }
  | { op: 'close' };

/** From the broker. */
export type FromBroker =
  | { op: 'message'; id: number; message: unknown; receivedNs: bigint }
  | { op: 'request'; id: number; call: number; request: unknown }
  | { op: 'answer'; id: number; answer: Answer }
  | { op: 'failed'; id: number | null; error: PackedError }
  | { op: 'closed' };

export type Answer = { readonly response: unknown } | { readonly error: PackedError };

/**
 * The message with every typed array on a buffer of its own: cloning a view would copy all of the buffer below it (a
 * WebAssembly heap, Node's pool), and a shared one would stay shared. The message itself where there is nothing to do.
 */
export function compacted(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  if (ArrayBuffer.isView(message)) {
    const isWhole = message.byteLength === message.buffer.byteLength && message.buffer instanceof ArrayBuffer;
    // Buffer's own slice is another view.
    if (isWhole) return message;
    return Buffer.isBuffer(message) ? new Uint8Array(message) : (message as Uint8Array).slice();
  }
  let copy: Record<string, unknown> | unknown[] | null = null;
  for (const [key, value] of Object.entries(message)) {
    if (typeof value !== 'object' || value === null) continue;
    const inner = compacted(value);
    if (inner === value) continue;
    copy ??= Array.isArray(message) ? [...message] : { ...message };
    (copy as Record<string, unknown>)[key] = inner;
  }
  return copy ?? message;
}
