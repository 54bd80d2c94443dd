import { sizeOf } from '../../ir/graph.js';
import type { TensorSpecs } from '../../program.js';
import { ALIGNMENT } from './memory.js';

/** Named arrays in one piece of memory, so that one copy moves them all. */
export interface Block {
  /** Where each entry begins, in bytes. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
}

export const ELEMENT_BYTES = 4;

export function blockOf(specs: TensorSpecs): Block {
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const [name, { shape }] of Object.entries(specs)) {
    offsets.set(name, bytes);
    bytes += Math.ceil((sizeOf(shape) * ELEMENT_BYTES) / ALIGNMENT) * ALIGNMENT;
  }
  // Never empty: an allocation of nothing has no address.
  return { offsets, bytes: Math.max(bytes, ALIGNMENT) };
}

/** Arrays over a block's copy in the process's memory, one for each entry. */
export function arraysOver(
  buffer: ArrayBuffer,
  block: Block,
  specs: TensorSpecs,
): Record<string, Float32Array | Int32Array> {
  const arrays: Record<string, Float32Array | Int32Array> = {};
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const [offset, size] = [block.offsets.get(name)!, sizeOf(shape)];
    arrays[name] = dtype === 'int32' ? new Int32Array(buffer, offset, size) : new Float32Array(buffer, offset, size);
  }
  return arrays;
}
