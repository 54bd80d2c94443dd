import { IqLearnError, type Random } from '../../common/index.js';

/** Where a gathered batch goes; row i of the gather lands in row `offset + i` of every array. */
export interface BatchTarget {
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly nextObservations?: Float32Array | undefined;
  readonly continues?: Float32Array | undefined;
  readonly rewards?: Float32Array | undefined;
}

/** One transition as learning takes it: observations in the space the network sees, actions in [−1, 1] or one-hot. */
export interface BufferRow {
  readonly observation: ArrayLike<number>;
  readonly action: ArrayLike<number>;
  readonly nextObservation: ArrayLike<number>;
  /** A true terminal state; a time limit is not one. */
  readonly terminated: boolean;
  readonly reward?: number;
}

/** The contents of a buffer, oldest row where the ring says; for checkpoints. */
export interface BufferContents {
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly nextObservations: Float32Array;
  readonly continues: Float32Array;
  readonly rewards: Float32Array;
  readonly cursor: number;
  readonly added: number;
}

/**
 * A ring of transitions in typed arrays. Memory is reserved for the whole capacity and touched as it fills:
 * capacity × (2·o + a + 2) × 4 bytes. Gathering allocates nothing.
 */
export class ReplayBuffer {
  readonly capacity: number;
  readonly #o: number;
  readonly #a: number;
  readonly #observations: Float32Array;
  readonly #actions: Float32Array;
  readonly #next: Float32Array;
  readonly #continues: Float32Array;
  readonly #rewards: Float32Array;
  #cursor = 0;
  #added = 0;
  #terminals = 0;

  constructor(capacity: number, observationSize: number, actionSize: number) {
    this.capacity = capacity;
    this.#o = observationSize;
    this.#a = actionSize;
    this.#observations = new Float32Array(capacity * observationSize);
    this.#actions = new Float32Array(capacity * actionSize);
    this.#next = new Float32Array(capacity * observationSize);
    this.#continues = new Float32Array(capacity);
    this.#rewards = new Float32Array(capacity);
  }

  /** Rows held now. */
  get size(): number {
    return Math.min(this.#added, this.capacity);
  }

  /** Rows held now whose next state is a true terminal. */
  get terminals(): number {
    return this.#terminals;
  }

  /** Rows ever added. */
  get added(): number {
    return this.#added;
  }

  /** Adds a row, over the oldest where the ring is full. A non-finite number throws INVALID_ARGUMENT and adds nothing. */
  add(row: BufferRow): void {
    this.#check('observation', row.observation, this.#o);
    this.#check('action', row.action, this.#a);
    this.#check('nextObservation', row.nextObservation, this.#o);
    const i = this.#cursor;
    this.#observations.set(row.observation, i * this.#o);
    this.#actions.set(row.action, i * this.#a);
    this.#next.set(row.nextObservation, i * this.#o);
    if (this.#added >= this.capacity && this.#continues[i] === 0) this.#terminals--;
    if (row.terminated) this.#terminals++;
    this.#continues[i] = row.terminated ? 0 : 1;
    this.#rewards[i] = row.reward ?? Number.NaN;
    this.#cursor = (i + 1) % this.capacity;
    this.#added++;
  }

  /** Gathers `count` rows drawn uniformly with replacement into `target` from row `offset`. */
  sample(count: number, random: Random, target: BatchTarget, offset = 0): void {
    const size = this.size;
    if (size === 0) throw new IqLearnError('INVALID_ARGUMENT', 'cannot sample an empty buffer');
    const { observations, actions, nextObservations, continues, rewards } = target;
    for (let row = offset; row < offset + count; row++) {
      const i = random.integer(size);
      copyRow(this.#observations, i, observations, row, this.#o);
      copyRow(this.#actions, i, actions, row, this.#a);
      if (nextObservations !== undefined) copyRow(this.#next, i, nextObservations, row, this.#o);
      if (continues !== undefined) continues[row] = this.#continues[i]!;
      if (rewards !== undefined) rewards[row] = this.#rewards[i]!;
    }
  }

  /** Views of the rows held (not copies). */
  contents(): BufferContents {
    const n = this.size;
    return {
      observations: this.#observations.subarray(0, n * this.#o),
      actions: this.#actions.subarray(0, n * this.#a),
      nextObservations: this.#next.subarray(0, n * this.#o),
      continues: this.#continues.subarray(0, n),
      rewards: this.#rewards.subarray(0, n),
      cursor: this.#cursor,
      added: this.#added,
    };
  }

  /** Replaces everything by what `contents` gave; MISMATCH where it was another buffer's changes nothing. */
  restore(contents: BufferContents): void {
    const n = Math.min(contents.added, this.capacity);
    const widths = { observations: this.#o, actions: this.#a, nextObservations: this.#o, continues: 1, rewards: 1 };
    for (const [name, width] of Object.entries(widths) as [keyof typeof widths, number][])
      if (contents[name].length !== n * width || contents.cursor !== contents.added % this.capacity)
        throw new IqLearnError('MISMATCH', 'the saved replay buffer does not fit', {
          found: `${contents[name].length} values of ${name}, the next row at ${contents.cursor}`,
          expected: `${n} rows of ${width}, the next row at ${contents.added % this.capacity}`,
          remedy: 'resume with the settings the run was started with',
        });
    this.#observations.set(contents.observations);
    this.#actions.set(contents.actions);
    this.#next.set(contents.nextObservations);
    this.#continues.set(contents.continues);
    this.#terminals = contents.continues.reduce((count, continues) => count + (continues === 0 ? 1 : 0), 0);
    this.#rewards.set(contents.rewards);
    this.#cursor = contents.cursor;
    this.#added = contents.added;
  }

  #check(what: string, values: ArrayLike<number>, length: number): void {
    if (values.length !== length)
      throw new IqLearnError('INVALID_ARGUMENT', `bad ${what} in a transition`, {
        found: `${values.length} numbers`,
        expected: `${length}`,
      });
    for (let i = 0; i < length; i++)
      if (!Number.isFinite(Math.fround(values[i]!)))
        throw new IqLearnError('INVALID_ARGUMENT', `bad ${what} in a transition`, {
          found: `${values[i]} at index ${i}`,
          expected: 'finite float32 numbers',
          remedy: 'drop the sample at its source',
        });
  }
}

function copyRow(from: Float32Array, i: number, to: Float32Array, row: number, width: number): void {
  const source = i * width;
  const target = row * width;
  for (let k = 0; k < width; k++) to[target + k] = from[source + k]!;
}
