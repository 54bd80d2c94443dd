import { availableParallelism } from 'node:os';

/** Updates of this project's sizes gain nothing from more threads. */
const mostThreads = 8;

/**
 * The number of threads where none is given: fixed by the machine, never by its load, because onnxruntime divides work
 * by it and so the last bits of a result can depend on it (for the SAC update 1 and 2 threads agree bit for bit, 3 and
 * more give other bits).
 */
export const defaultThreads = (): number => Math.min(availableParallelism(), mostThreads);

/** Runs of each kind in a trial; the first wakes threads and warms caches, and is not counted. */
const TRIAL = 6;
/** Runs between two looks at the times. */
const BLOCK = 20;
/** Blocks between two trials where nothing changes. */
const BLOCKS = 25;
/** Times that rise by more than this factor ask for a new trial at once. */
const SLOWER = 1.3;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/**
 * Whether waiting threads spin, decided by the times of real runs and again as they change: spinning is faster on a
 * quiet machine, several times slower beside busy processes, and the load at the start of a training tells little
 * about the hours after. It changes nothing but time.
 */
export class SpinningChoice {
  #spinning = true;
  /** Times of a trial under way: spinning first, then waiting. */
  #trial: number[] | undefined = [];
  #block: number[] = [];
  #blocks = 0;
  #expected = 0;

  /** Whether the next run spins. */
  get spinning(): boolean {
    return this.#trial === undefined ? this.#spinning : this.#trial.length < TRIAL;
  }

  /** Takes the time of a run made with {@link spinning}. */
  took(ms: number): void {
    if (this.#trial === undefined) {
      this.#block.push(ms);
      if (this.#block.length === BLOCK) this.#look();
      return;
    }
    this.#trial.push(ms);
    if (this.#trial.length < 2 * TRIAL) return;
    const [spinning, waiting] = [median(this.#trial.slice(1, TRIAL)), median(this.#trial.slice(TRIAL + 1))];
    this.#spinning = spinning <= waiting;
    this.#expected = Math.min(spinning, waiting);
    this.#trial = undefined;
    this.#blocks = 0;
  }

  #look(): void {
    const slower = median(this.#block) > SLOWER * this.#expected;
    this.#block = [];
    this.#blocks++;
    if (slower || this.#blocks === BLOCKS) this.#trial = [];
  }
}
