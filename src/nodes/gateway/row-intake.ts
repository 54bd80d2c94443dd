import type { StreamPlace } from '../../link/index.js';
import {
  fact,
  TransitionReader,
  type TransitionRows,
  type TransitionShape,
  type TransitionSlice,
} from '../../messages/index.js';

/**
 * Takes transitions of one session whose sequence numbers and places in the stream follow on each other; `epoch` is that of
 * the stream. `refused` hears of each transition that cannot be taken.
 */
export type TakeSlice = (slice: TransitionSlice, epoch: bigint, refused: (error: unknown) => void) => void;

/**
 * Gathers the transitions of a batch in rows, where they come as every robot of ours sends them, and hands them over in as
 * few slices as it can. What cannot lie in rows is not taken.
 */
export class RowIntake {
  readonly #reader: TransitionReader;
  readonly #take: TakeSlice;
  readonly #refused: (error: unknown) => void;
  #epoch = 0n;

  constructor(shape: TransitionShape, take: TakeSlice, refused: (error: unknown) => void) {
    this.#reader = new TransitionReader(shape);
    this.#take = take;
    this.#refused = refused;
  }

  /** So many records come. */
  expect(count: number): void {
    this.#reader.expect(count);
  }

  /** Whether the transition lies in a row now. */
  take(payload: Uint8Array, { epoch, sequence }: StreamPlace): boolean {
    if (this.#reader.isFull || epoch !== this.#epoch) this.hand();
    this.#epoch = epoch;
    return this.#reader.read(payload, Number(sequence));
  }

  /** Hands over what was gathered. */
  hand(): void {
    if (this.#reader.length === 0) return;
    const rows = this.#reader.take();
    for (let from = 0, to = 0; from < rows.length; from = to) {
      for (to = from + 1; to < rows.length && follows(rows, to); ) to++;
      this.#take({ rows, from, to }, this.#epoch, this.#refused);
    }
  }
}

/** Whether the transition of a row follows on the one before. */
function follows(rows: TransitionRows, row: number): boolean {
  return (
    rows.sessions[row] === rows.sessions[row - 1] &&
    rows.fact(row, fact.sequence) === rows.fact(row - 1, fact.sequence) + 1 &&
    rows.fact(row, fact.place) === rows.fact(row - 1, fact.place) + 1
  );
}
