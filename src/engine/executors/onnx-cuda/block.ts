import { sizeOf, typedArrayOver } from '../../ir/graph.js';
import type { ElementType, TensorSpecs } from '../../program.js';
import { ALIGNMENT } from './memory.js';

/** Named arrays in one piece of memory, so that one copy moves them all. */
export interface Block {
  /** Where each entry begins, in bytes. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
}

export const elementBytes = (dtype: ElementType): number => (dtype === 'uint8' ? 1 : 4);

export function blockOf(specs: TensorSpecs): Block {
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    offsets.set(name, bytes);
    bytes += Math.ceil((sizeOf(shape) * elementBytes(dtype)) / ALIGNMENT) * ALIGNMENT;
  }
  // Never empty: an allocation of nothing has no address.
  return { offsets, bytes: Math.max(bytes, ALIGNMENT) };
}

/** Arrays over a block's copy in the process's memory, one for each entry. */
export function arraysOver(
  buffer: ArrayBuffer,
  block: Block,
  specs: TensorSpecs,
): Record<string, Float32Array | Int32Array | Uint8Array> {
  const arrays: Record<string, Float32Array | Int32Array | Uint8Array> = {};
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    arrays[name] = typedArrayOver(dtype, buffer, block.offsets.get(name)!, sizeOf(shape));
  }
  return arrays;
}
