import {
  type BlockArray,
  blockValues,
  checkFinite,
  checkObservationSpec,
  describeObservation,
  IqLearnError,
  type Observation,
  type ObservationSpec,
  observationArrays,
  type PerBlock,
  type Random,
  shapeSize,
} from '../../common/index.js';
import { type BufferContents, countZeros, piecesOf, rowsOf, savedRows } from './buffer-contents.js';
import { type NumberRows, ObservationRows, sameNumbers } from './observation-rows.js';

/** Where a gathered batch goes; row i of the batch lands in row `offset + i` of every array. */
export interface BatchTarget {
  readonly observations: PerBlock<BlockArray>;
  readonly actions: Float32Array;
  readonly nextObservations?: PerBlock<BlockArray> | undefined;
  readonly continues?: Float32Array | undefined;
  readonly rewards?: Float32Array | undefined;
}

/** One transition as learning takes it: observations in the space the network sees, actions in [−1, 1] or one-hot. */
export interface BufferRow {
  readonly observation: Observation;
  readonly action: ArrayLike<number>;
  readonly nextObservation: Observation;
  /** The next observation is a true terminal state; a time limit does not make it one. */
  readonly terminated: boolean;
  readonly reward?: number;
}

/**
 * A ring of the newest `capacity` transitions. Every observation is stored once: the next observation of a transition
 * is the row after its own, which is at the same time the observation of the transition that follows in the episode.
 * Where the transition that is added next does not begin with the observation that was stored last (a new episode, a
 * gap, another robot), its observation gets a row of its own; this is decided by comparing the numbers, so a caller
 * cannot get it wrong. Bytes are stored as bytes.
 *
 * Memory follows what is held: for each transition one observation, an action, and 12 bytes (row, continues, reward);
 * one observation more for each episode or gap. Sampling allocates nothing that grows with the batch.
 */
export class ReplayBuffer {
  readonly capacity: number;
  readonly #spec: ObservationSpec;
  readonly #a: number;
  readonly #observations: ObservationRows;
  /** The position of each transition's observation among the rows. */
  readonly #rows: Int32Array;
  readonly #actions: Float32Array;
  readonly #continues: Float32Array;
  readonly #rewards: Float32Array;
  #cursor = 0;
  #added = 0;
  #terminals = 0;

  constructor(capacity: number, spec: ObservationSpec, actionSize: number) {
    this.capacity = capacity;
    this.#spec = checkObservationSpec(spec);
    this.#a = actionSize;
    // Each transition holds at most two rows, and the one that replaces the oldest is stored before that is released.
    this.#observations = new ObservationRows(spec, 2 * capacity + 2);
    this.#rows = new Int32Array(capacity);
    this.#actions = new Float32Array(capacity * actionSize);
    this.#continues = new Float32Array(capacity);
    this.#rewards = new Float32Array(capacity);
  }

  /** Transitions held now. */
  get size(): number {
    return Math.min(this.#added, this.capacity);
  }

  /** Transitions held now whose next state is a true terminal. */
  get terminals(): number {
    return this.#terminals;
  }

  /** Transitions ever added. */
  get added(): number {
    return this.#added;
  }

  /** Observations held now: between size + 1 and 2 · size. */
  get observationsHeld(): number {
    return this.#observations.held;
  }

  /** Bytes of memory: those of the observations as they fill, the rest reserved and touched as it fills. */
  get bytes(): number {
    return this.#observations.bytes + (3 + this.#a) * 4 * this.capacity;
  }

  /** Adds a transition, over the oldest where the ring is full. A bad number throws INVALID_ARGUMENT and adds nothing. */
  add(row: BufferRow): void {
    const observation = observationArrays(this.#spec, row.observation, 'observation in a transition');
    const next = observationArrays(this.#spec, row.nextObservation, 'nextObservation in a transition');
    if (row.action.length !== this.#a)
      throw new IqLearnError('INVALID_ARGUMENT', 'bad action in a transition', {
        found: `${row.action.length} numbers`,
        expected: `${this.#a}`,
      });
    checkFinite('action in a transition', row.action);
    this.#store(observation, next);
    this.#actions.set(row.action, this.#cursor * this.#a);
    this.#advance(row.terminated, row.reward ?? Number.NaN);
    this.#release();
  }

  /** As {@link add}, with reward 0: transitions `from` to `to` (without it) of checked rows of one float32 block. */
  addRows(rows: NumberRows, from: number, to: number): void {
    for (let row = from; row < to; ) row += this.#addRun(rows, row, to);
  }

  /** Adds transitions from `first` on that follow on each other, as many as there are before `to`, and gives their number. */
  #addRun({ observations, actions, nextObservations, terminated }: NumberRows, first: number, to: number): number {
    const rows = this.#observations;
    const [o, a] = [shapeSize(this.#spec[0]!.shape), this.#a];
    const most = Math.min(to - first, this.capacity - this.#cursor, rows.room - 1);
    let count = 1;
    while (count < most && sameNumbers(nextObservations, (first + count - 1) * o, observations, (first + count) * o, o))
      count++;
    const known = rows.held > 0 && rows.equalsFrom(rows.newest, observations, first * o);
    const position = known ? rows.newest : rows.pushRows(observations, first, 1);
    rows.pushRows(nextObservations, first, count);
    for (let k = 0; k < count * a; k++) this.#actions[this.#cursor * a + k] = actions[first * a + k]!;
    for (let i = 0; i < count; i++) {
      this.#rows[this.#cursor] = rows.after(position, i);
      this.#advance(terminated[first + i] === 1, 0);
    }
    this.#release();
    return count;
  }

  /** The transition at the cursor has its observations and its action: the rest of it, and on to the next. */
  #advance(terminated: boolean, reward: number): void {
    const i = this.#cursor;
    if (this.#added >= this.capacity && this.#continues[i] === 0) this.#terminals--;
    if (terminated) this.#terminals++;
    this.#continues[i] = terminated ? 0 : 1;
    this.#rewards[i] = reward;
    this.#cursor = (i + 1) % this.capacity;
    this.#added++;
  }

  /** Observations before that of the oldest transition are no longer needed. */
  #release(): void {
    this.#observations.release(this.#rows[this.#added < this.capacity ? 0 : this.#cursor]!);
  }

  #store(observation: readonly ArrayLike<number>[], next: readonly ArrayLike<number>[]): void {
    const rows = this.#observations;
    const known = rows.held > 0 && rows.equals(rows.newest, observation);
    this.#rows[this.#cursor] = known ? rows.newest : rows.push(observation);
    rows.push(next);
  }

  /** Gathers `count` transitions drawn uniformly with replacement into `target` from row `offset`. */
  sample(count: number, random: Random, target: BatchTarget, offset = 0): void {
    const size = this.size;
    if (size === 0) throw new IqLearnError('INVALID_ARGUMENT', 'cannot sample an empty buffer');
    const { actions, continues, rewards } = target;
    const observations = blockValues(this.#spec, target.observations, 'batch');
    const nextObservations = target.nextObservations && blockValues(this.#spec, target.nextObservations, 'batch');
    for (let row = offset; row < offset + count; row++) {
      const i = random.integer(size);
      const at = this.#rows[i]!;
      this.#observations.copy(at, observations, row);
      if (nextObservations !== undefined)
        this.#observations.copy(this.#observations.after(at, 1), nextObservations, row);
      for (let k = 0; k < this.#a; k++) actions[row * this.#a + k] = this.#actions[i * this.#a + k]!;
      if (continues !== undefined) continues[row] = this.#continues[i]!;
      if (rewards !== undefined) rewards[row] = this.#rewards[i]!;
    }
  }

  /**
   * Whether a row that is drawn is the one that leads from the absorbing state to itself, if the buffer is taken to hold
   * one of these for every terminal transition.
   */
  drawsAbsorbing(random: Random): boolean {
    return this.#terminals > 0 && random.integer(this.size + this.#terminals) >= this.size;
  }

  /** Copies the observation of transition `i`, in the order of the ring, into row `row` of `target`. */
  copyObservation(i: number, target: PerBlock<BlockArray>, row: number): void {
    this.#observations.copy(this.#rows[i]!, blockValues(this.#spec, target, 'batch'), row);
  }

  /** What {@link restore} needs. The arrays may be views: use them before the next transition is added. */
  contents(): BufferContents {
    const n = this.size;
    const { positions, start } = this.#observations;
    const arrays: Record<string, Float32Array | Int32Array | Uint8Array> = {
      rows: this.#rows.slice(0, n).map((position) => (position - start + positions) % positions),
      actions: this.#actions.subarray(0, n * this.#a),
      continues: this.#continues.subarray(0, n),
      rewards: this.#rewards.subarray(0, n),
    };
    this.#spec.forEach(({ name }, block) => {
      this.#observations.pieces(block).forEach((piece, i) => {
        arrays[`observations.${name}.${i}`] = piece;
      });
    });
    return { counters: { cursor: this.#cursor, added: this.#added }, arrays };
  }

  /**
   * Replaces everything by what `contents` of such a buffer gave, or by what a checkpoint of version 0.1 holds, which
   * has the next observations as an array of their own. Throws MISMATCH, changing nothing, where it does not fit.
   */
  restore({ counters, arrays }: BufferContents): void {
    if (arrays.nextObservations !== undefined) {
      this.#restoreOld(counters, arrays);
      return;
    }
    const n = Math.min(counters.added, this.capacity);
    const { rows, actions, continues, rewards } = arrays;
    this.#checkCounters(counters);
    this.#checkLength('rows', rows, n, 1);
    this.#checkLength('actions', actions, n, this.#a);
    this.#checkLength('continues', continues, n, 1);
    this.#checkLength('rewards', rewards, n, 1);
    const pieces = this.#spec.map(({ name }) => piecesOf(name, arrays));
    const saved = savedRows(pieces, this.#spec, (...reason) => this.#refuse(...reason));
    const first = counters.added < this.capacity ? 0 : counters.cursor;
    for (let k = 0, last = -2; k < n; k++) {
      const row = rows![(first + k) % this.capacity]!;
      // The oldest transition has the oldest row; each other follows the one before with or without a gap of one row.
      if (k === 0 ? row !== 0 : row !== last + 1 && row !== last + 2) this.#refuse(`row ${row} after row ${last}`);
      last = row;
      if (k === n - 1 && saved !== row + 2) this.#refuse(`${saved} observations`, `${row + 2}`);
    }
    this.#observations.clear();
    for (const row of rowsOf(pieces, this.#spec)) this.#observations.push(row);
    this.#rows.set(rows!);
    this.#restoreColumns({ counters, arrays });
  }

  /** Transitions with both observations, as saved before observations were stored once; one block of numbers. */
  #restoreOld(counters: BufferContents['counters'], arrays: BufferContents['arrays']): void {
    const n = Math.min(counters.added, this.capacity);
    const { observations, nextObservations, actions, continues, rewards } = arrays;
    this.#checkCounters(counters);
    if (this.#spec.length !== 1) this.#refuse('one block of numbers', describeObservation(this.#spec));
    const size = shapeSize(this.#spec[0]!.shape);
    this.#checkLength('observations', observations, n, size);
    this.#checkLength('nextObservations', nextObservations, n, size);
    this.#checkLength('actions', actions, n, this.#a);
    this.#checkLength('continues', continues, n, 1);
    this.#checkLength('rewards', rewards, n, 1);
    this.#observations.clear();
    const first = counters.added < this.capacity ? 0 : counters.cursor;
    for (let k = 0; k < n; k++) {
      const i = (first + k) % this.capacity;
      this.#cursor = i;
      this.#store(
        [observations!.subarray(i * size, (i + 1) * size)],
        [nextObservations!.subarray(i * size, (i + 1) * size)],
      );
    }
    this.#restoreColumns({ counters, arrays });
  }

  /** What both layouts save alike, after it was checked. */
  #restoreColumns({ counters, arrays: { actions, continues, rewards } }: BufferContents): void {
    this.#actions.set(actions!);
    this.#continues.set(continues!);
    this.#terminals = countZeros(continues!);
    this.#rewards.set(rewards!);
    this.#cursor = counters.cursor;
    this.#added = counters.added;
  }

  #checkCounters({ cursor, added }: BufferContents['counters']): void {
    if (cursor !== added % this.capacity)
      this.#refuse(`the next transition at ${cursor}`, `at ${added % this.capacity} of ${this.capacity}`);
  }

  #checkLength(name: string, array: ArrayLike<number> | undefined, n: number, width: number): void {
    if (array?.length !== n * width)
      this.#refuse(`${array?.length ?? 'no'} values of ${name}`, `${n} rows of ${width}`);
  }

  #refuse(
    found: string,
    expected = `a buffer of ${this.capacity} transitions of ${describeObservation(this.#spec)}`,
  ): never {
    throw new IqLearnError('MISMATCH', 'the saved replay buffer does not fit', {
      found,
      expected,
      remedy: 'resume with the settings the run was started with',
    });
  }
}
