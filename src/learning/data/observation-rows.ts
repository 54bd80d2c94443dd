import { type BlockArray, blockArray, blockBytes, type ObservationSpec, shapeSize } from '../../common/index.js';

/** A chunk is not made larger than this, so that images do not ask for arrays that no machine has in one piece. */
const CHUNK_BYTES = 64 * 1024 * 1024;
/** Of small rows, a chunk holds this share of all rows: what lies unused in chunks is at most two of them. */
const CHUNK_SHARE = 1 / 64;
/** But a chunk of a small buffer is as large as this or a quarter of all rows: of a thousand buffers, many arrays each are slow to read. */
const LEAST_CHUNK_BYTES = 32 * 1024;
/** Up to so many numbers are copied one by one, which is faster than making a view of them. */
const SMALL_COPY = 64;

/** Transitions of one float32 block as rows: row i of each array belongs to transition i. All numbers are finite. */
export interface NumberRows {
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly nextObservations: Float32Array;
  /** 1 where the next observation is a true terminal state. */
  readonly terminated: Uint8Array;
}

/**
 * A queue of observations: rows are pushed at the end and released from the start, and are read at their positions in
 * between. Rows lie in chunks of typed arrays, one array for every block of the observation; a chunk is made when it
 * is first needed and used again when its last row has been released. Memory therefore follows the rows that are held.
 *
 * Positions count up by one for each row and start again at 0 after {@link positions} rows; a row's position stays the
 * same as long as it is held.
 */
export class ObservationRows {
  /** Positions there are; the row after the one at the last position lies at position 0. */
  readonly positions: number;
  readonly #spec: ObservationSpec;
  readonly #sizes: readonly number[];
  readonly #chunkRows: number;
  readonly #most: number;
  readonly #chunks: (readonly BlockArray[] | undefined)[];
  #spare: (readonly BlockArray[])[] = [];
  /** Position of the oldest row. */
  #start = 0;
  #held = 0;

  /** Room for `most` rows at a time. */
  constructor(spec: ObservationSpec, most: number) {
    this.#spec = spec;
    this.#most = most;
    this.#sizes = spec.map(({ shape }) => shapeSize(shape));
    const rowBytes = Math.max(...spec.map(blockBytes));
    const least = Math.min(Math.ceil(most / 4), Math.floor(LEAST_CHUNK_BYTES / rowBytes));
    const share = Math.max(Math.ceil(most * CHUNK_SHARE), least);
    this.#chunkRows = Math.max(1, Math.min(share, Math.floor(CHUNK_BYTES / rowBytes)));
    // Two chunks more than the rows fill: the first and the last chunk may be held for one row each.
    const chunks = Math.ceil(most / this.#chunkRows) + 2;
    this.#chunks = new Array(chunks).fill(undefined);
    this.positions = chunks * this.#chunkRows;
  }

  /** Rows held. */
  get held(): number {
    return this.#held;
  }

  /** Rows that can still be pushed before others are released. */
  get room(): number {
    return this.#most - this.#held;
  }

  /** Position of the oldest row. */
  get start(): number {
    return this.#start;
  }

  /** Position of the newest row. */
  get newest(): number {
    return this.after(this.#start, this.#held - 1);
  }

  /** Bytes of memory that the chunks take. */
  get bytes(): number {
    const chunks = this.#chunks.filter((chunk) => chunk !== undefined).length + this.#spare.length;
    return chunks * this.#chunkRows * this.#spec.reduce((sum, block) => sum + blockBytes(block), 0);
  }

  /** The position `count` rows after `position`. */
  after(position: number, count: number): number {
    return (position + count) % this.positions;
  }

  /** Adds a row, one array for every block in the order of the spec, and gives its position. */
  push(arrays: readonly ArrayLike<number>[]): number {
    const position = this.after(this.#start, this.#held);
    const chunk = this.#chunkAt(position);
    const row = position % this.#chunkRows;
    arrays.forEach((values, block) => {
      chunk[block]!.set(values, row * this.#sizes[block]!);
    });
    this.#held++;
    return position;
  }

  /**
   * As {@link push}, of the one block of float32 numbers that there is: `count` rows from row `first` of `values` on. Gives
   * the position of the first.
   */
  pushRows(values: Float32Array, first: number, count: number): number {
    const position = this.after(this.#start, this.#held);
    const size = this.#sizes[0]!;
    for (let done = 0; done < count; ) {
      const at = this.after(position, done);
      const [stored] = this.#chunkAt(at);
      const row = at % this.#chunkRows;
      const fitting = Math.min(count - done, this.#chunkRows - row);
      copyNumbers(values, (first + done) * size, stored!, row * size, fitting * size);
      done += fitting;
    }
    this.#held += count;
    return position;
  }

  /** The chunk of this position, made where there is none. */
  #chunkAt(position: number): readonly BlockArray[] {
    const index = Math.floor(position / this.#chunkRows);
    this.#chunks[index] ??= this.#spare.pop() ?? this.#spec.map((block) => blockArray(block, this.#chunkRows));
    return this.#chunks[index];
  }

  /** As {@link equals}, of the one block of float32 numbers that there is. */
  equalsFrom(position: number, values: Float32Array, offset: number): boolean {
    const stored = this.#chunks[Math.floor(position / this.#chunkRows)]![0]!;
    const size = this.#sizes[0]!;
    return sameNumbers(stored, (position % this.#chunkRows) * size, values, offset, size);
  }

  /** Whether the row at `position` holds exactly these numbers, as float32 numbers or bytes; −0 is not 0. */
  equals(position: number, arrays: readonly ArrayLike<number>[]): boolean {
    const chunk = this.#chunks[Math.floor(position / this.#chunkRows)]!;
    const row = position % this.#chunkRows;
    return arrays.every((values, block) => {
      const stored = chunk[block]!;
      const size = this.#sizes[block]!;
      const source = row * size;
      if (stored instanceof Uint8Array) {
        for (let k = 0; k < size; k++) if (stored[source + k] !== values[k]) return false;
      } else {
        for (let k = 0; k < size; k++) if (!Object.is(stored[source + k], Math.fround(values[k]!))) return false;
      }
      return true;
    });
  }

  /** Copies the row at `position` into row `row` of `targets`, one array for every block in the order of the spec. */
  copy(position: number, targets: readonly BlockArray[], row: number): void {
    const chunk = this.#chunks[Math.floor(position / this.#chunkRows)]!;
    const index = position % this.#chunkRows;
    for (let block = 0; block < targets.length; block++) {
      const from = chunk[block]!;
      const to = targets[block]!;
      const size = this.#sizes[block]!;
      copyNumbers(from, index * size, to, row * size, size);
    }
  }

  /** Releases all rows before `position`, which is that of a row held. */
  release(position: number): void {
    const count = (position - this.#start + this.positions) % this.positions;
    const from = Math.floor(this.#start / this.#chunkRows);
    const to = Math.floor(position / this.#chunkRows);
    for (let index = from; index !== to; index = (index + 1) % this.#chunks.length) {
      const chunk = this.#chunks[index];
      if (chunk !== undefined && this.#spare.length === 0) this.#spare.push(chunk);
      this.#chunks[index] = undefined;
    }
    this.#start = position;
    this.#held -= count;
  }

  /**
   * The rows held, oldest first, as arrays of whole rows for each block. Neighbouring chunks are joined up to
   * `mostBytes`; what is larger is given as views of the chunks, so that saving large images copies nothing.
   */
  pieces(block: number, mostBytes = 4 * CHUNK_BYTES): BlockArray[] {
    const size = this.#sizes[block]!;
    const views: BlockArray[] = [];
    for (let done = 0; done < this.#held; ) {
      const position = this.after(this.#start, done);
      const row = position % this.#chunkRows;
      const count = Math.min(this.#chunkRows - row, this.#held - done);
      const chunk = this.#chunks[Math.floor(position / this.#chunkRows)]!;
      views.push(chunk[block]!.subarray(row * size, (row + count) * size));
      done += count;
    }
    const pieces: BlockArray[] = [];
    for (let from = 0, to = 0; from < views.length; from = to) {
      let length = 0;
      let bytes = 0;
      while (to < views.length && (to === from || bytes + views[to]!.byteLength <= mostBytes)) {
        length += views[to]!.length;
        bytes += views[to++]!.byteLength;
      }
      if (to === from + 1) {
        pieces.push(views[from]!);
        continue;
      }
      const joined = this.#spec[block]!.dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
      let offset = 0;
      for (const view of views.slice(from, to)) {
        joined.set(view, offset);
        offset += view.length;
      }
      pieces.push(joined);
    }
    return pieces;
  }

  /** Releases every row. */
  clear(): void {
    this.#chunks.fill(undefined);
    this.#spare = [];
    this.#start = 0;
    this.#held = 0;
  }
}

export function copyNumbers(from: BlockArray, source: number, to: BlockArray, target: number, count: number): void {
  if (count > SMALL_COPY) to.set(from.subarray(source, source + count), target);
  else for (let k = 0; k < count; k++) to[target + k] = from[source + k]!;
}

/** Whether two runs of finite numbers are the same; −0 is not 0. */
export function sameNumbers(a: BlockArray, from: number, b: BlockArray, offset: number, count: number): boolean {
  for (let k = 0; k < count; k++) {
    const x = a[from + k]!;
    const y = b[offset + k]!;
    if (x !== y || (x === 0 && 1 / x !== 1 / y)) return false;
  }
  return true;
}
