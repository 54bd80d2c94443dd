import { type BlockArray, type ObservationSpec, shapeSize } from '../../common/index.js';

/** The contents of a buffer for checkpoints: counters, and arrays that are views or copies of those of the buffer. */
export interface BufferContents {
  readonly counters: BufferCounters;
  /**
   * `rows` [n] says for each transition which of the saved observations is its own; the one after it is its next
   * observation. `observations.<block>.<piece>` are the saved observations, oldest first. `actions`, `continues` and
   * `rewards` hold a row for each transition.
   */
  readonly arrays: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;
}

export interface BufferCounters {
  /** The place of the next transition. */
  readonly cursor: number;
  /** Transitions ever added. */
  readonly added: number;
}

/** How many of the values are 0. */
export function countZeros(values: ArrayLike<number>): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}

/** The saved pieces of a block's observations, in order. */
export function piecesOf(block: string, arrays: BufferContents['arrays']): BlockArray[] {
  const pieces: BlockArray[] = [];
  for (let i = 0; ; i++) {
    const piece = arrays[`observations.${block}.${i}`];
    if (piece === undefined) return pieces;
    pieces.push(piece as BlockArray);
  }
}

/** The saved observations one after the other; pieces of different blocks may end at different rows. */
export function* rowsOf(pieces: readonly (readonly BlockArray[])[], spec: ObservationSpec): Generator<BlockArray[]> {
  const readers = pieces.map(function* (arrays, block): Generator<BlockArray> {
    const size = shapeSize(spec[block]!.shape);
    for (const array of arrays) for (let at = 0; at < array.length; at += size) yield array.subarray(at, at + size);
  });
  for (;;) {
    const row = readers.map((reader) => reader.next());
    if (row.some(({ done }) => done === true)) return;
    yield row.map(({ value }) => value as BlockArray);
  }
}

/** The number of observations that are saved, which has to be that of every block; `refuse` throws. */
export function savedRows(
  pieces: readonly (readonly ArrayLike<number>[])[],
  spec: ObservationSpec,
  refuse: (found: string, expected?: string) => never,
): number {
  const counts = pieces.map((arrays, block) => {
    const size = shapeSize(spec[block]!.shape);
    if (arrays.some(({ length }) => length % size !== 0))
      refuse(`${arrays.map(({ length }) => length).join(' + ')} values of ${spec[block]!.name}`, `rows of ${size}`);
    return arrays.reduce((sum, { length }) => sum + length / size, 0);
  });
  if (counts.some((count) => count !== counts[0])) refuse(`${counts.join(', ')} observations of the blocks`);
  return counts[0]!;
}
