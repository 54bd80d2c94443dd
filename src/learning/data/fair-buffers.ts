import { countBefore, type Random } from '../../common/index.js';
import type { BufferContents } from './buffer-contents.js';
import type { NumberRows } from './observation-rows.js';
import type { BatchTarget, BufferRow, ReplayBuffer } from './replay-buffer.js';

/**
 * How many times as often as in one common buffer a transition may be drawn, so that the first ones of a robot that has
 * just begun are not repeated all the time.
 */
const MOST_OFTEN = 8;
/**
 * Of a large fleet several transitions of a robot that is drawn go into the batch, one more for every so many robots: each
 * robot's buffer lies elsewhere in memory, and to go there takes longer than to copy a transition.
 */
const ROBOTS_FOR_EACH = 256;
const MOST_OF_ONE = 4;

/** What a buffer of one robot holds, for checkpoints. */
export interface RobotContents extends BufferContents {
  readonly robot: string;
  /** Undefined where it is that of the settings. */
  readonly capacity: number | undefined;
}

/** How many transitions of a robot were ever added, and how many are held now. */
export interface RobotCount {
  readonly robot: string;
  readonly added: number;
  readonly held: number;
}

/** The buffers that hold something, and the sums of their shares of a batch, each with those before it. */
interface Drawn {
  readonly filled: readonly ReplayBuffer[];
  readonly shares: Float64Array;
  /** Whether one of them holds a terminal transition. */
  readonly terminal: boolean;
}

/**
 * The transitions of a fleet: a {@link ReplayBuffer} for each robot, so that a robot that drives much does not push out
 * what the others have seen, and sampling that is fair: every robot has the same share of a batch, whatever it has sent.
 * The exception is a robot with few transitions: none of them is drawn more than 8 times as often as it would be if all
 * robots had one buffer in common.
 *
 * Robots need not be named: the transitions of no robot in particular have one buffer of the whole capacity, and are
 * sampled exactly as from a {@link ReplayBuffer}.
 */
export class FairBuffers {
  readonly #make: (capacity: number) => ReplayBuffer;
  readonly #capacityOfEach: number;
  readonly #buffers = new Map<string, ReplayBuffer>();
  /** What is drawn from; undefined where transitions came since it was made. */
  #drawn: Drawn | undefined;

  /** `capacity` transitions of all `robots` together; without robots, of whoever sends them. */
  constructor(capacity: number, robots: readonly string[], make: (capacity: number) => ReplayBuffer) {
    this.#make = make;
    this.#capacityOfEach = Math.ceil(capacity / Math.max(1, robots.length));
    for (const robot of robots.length === 0 ? [''] : robots) this.#bufferOf(robot);
  }

  /** Transitions held now. */
  get size(): number {
    return this.#sum(({ size }) => size);
  }

  /** Transitions ever added. */
  get added(): number {
    return this.#sum(({ added }) => added);
  }

  get counts(): readonly RobotCount[] {
    return [...this.#buffers].map(([robot, { added, size }]) => ({ robot, added, held: size }));
  }

  /** Adds a transition of a robot; '' where it is of none in particular. A bad number throws INVALID_ARGUMENT. */
  add(row: BufferRow, robot: string): void {
    this.#bufferOf(robot).add(row);
    this.#drawn = undefined;
  }

  /** Adds transitions `from` to `to` of rows that were checked, all of one robot: {@link ReplayBuffer.addRows}. */
  addRows(rows: NumberRows, from: number, to: number, robot: string): void {
    this.#bufferOf(robot).addRows(rows, from, to);
    this.#drawn = undefined;
  }

  /** Gathers `count` transitions into `target` from row `offset`: those of one robot after those of the other. */
  sample(count: number, random: Random, target: BatchTarget, offset = 0): void {
    const { filled, shares } = this.#draws();
    if (filled.length <= 1) {
      (filled[0] ?? [...this.#buffers.values()][0]!).sample(count, random, target, offset);
      return;
    }
    const counts = new Array<number>(filled.length).fill(0);
    const ofOne = Math.min(MOST_OF_ONE, Math.ceil(filled.length / ROBOTS_FOR_EACH));
    for (let left = count; left > 0; left -= ofOne) counts[draw(shares, random)]! += Math.min(ofOne, left);
    let row = offset;
    // Of a thousand robots most are not in a batch.
    for (const [i, rows] of counts.entries()) {
      if (rows > 0) filled[i]!.sample(rows, random, target, row);
      row += rows;
    }
  }

  /** See {@link ReplayBuffer.drawsAbsorbing}; of a robot that is drawn as in {@link sample}. */
  drawsAbsorbing(random: Random): boolean {
    const { filled, shares, terminal } = this.#draws();
    return terminal && filled[filled.length > 1 ? draw(shares, random) : 0]!.drawsAbsorbing(random);
  }

  /** What {@link restore} needs; see {@link ReplayBuffer.contents}. */
  contents(): readonly RobotContents[] {
    return [...this.#buffers].map(([robot, buffer]) => ({ robot, capacity: buffer.capacity, ...buffer.contents() }));
  }

  /** Replaces everything. What a robot has sent that is no longer of the fleet stays. Throws MISMATCH. */
  restore(contents: readonly RobotContents[]): void {
    for (const { robot, capacity, ...each } of contents) {
      const own = this.#bufferOf(robot);
      // The fleet may have grown since: a buffer keeps the capacity that it was saved with.
      const buffer = capacity === undefined || capacity === own.capacity ? own : this.#make(capacity);
      buffer.restore(each);
      this.#buffers.set(robot, buffer);
    }
    this.#drawn = undefined;
  }

  #bufferOf(robot: string): ReplayBuffer {
    let buffer = this.#buffers.get(robot);
    if (buffer === undefined) {
      buffer = this.#make(this.#capacityOfEach);
      this.#buffers.set(robot, buffer);
    }
    return buffer;
  }

  #draws(): Drawn {
    if (this.#drawn === undefined) {
      const filled = [...this.#buffers.values()].filter(({ size }) => size > 0);
      this.#drawn = {
        filled,
        shares: cumulated(filled.map(({ size }) => size)),
        terminal: filled.some(({ terminals }) => terminals > 0),
      };
    }
    return this.#drawn;
  }

  #sum(count: (buffer: ReplayBuffer) => number): number {
    let sum = 0;
    for (const buffer of this.#buffers.values()) sum += count(buffer);
    return sum;
  }
}

/** The index of a buffer, as often as its share says. */
function draw(shares: Float64Array, random: Random): number {
  const at = random.uniform() * shares.at(-1)!;
  // The first whose sum is above: a fleet may have a thousand.
  return countBefore(shares.length - 1, (i) => at >= shares[i]!);
}

function cumulated(sizes: readonly number[]): Float64Array {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let sum = 0;
  return Float64Array.from(sizes, (size) => {
    sum += Math.min(1 / sizes.length, (MOST_OFTEN * size) / total);
    return sum;
  });
}
