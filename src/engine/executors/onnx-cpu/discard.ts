import { MessageChannel, type MessagePort } from 'node:worker_threads';

let nowhere: MessagePort | undefined;

/**
 * Frees the memory of arrays at once, and leaves them empty. onnxruntime-node copies every output into a new array even
 * where it was given one to write to; left to the garbage collector, megabytes a run cost page faults and collections.
 * A port without a peer takes what is transferred to it and drops it: the one way to give up a buffer in Node 20.
 */
export function discard(arrays: readonly ArrayBufferView[]): void {
  if (nowhere === undefined) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    port1.unref();
    nowhere = port1;
  }
  nowhere.postMessage(
    undefined,
    arrays.map(({ buffer }) => buffer as ArrayBuffer),
  );
}
