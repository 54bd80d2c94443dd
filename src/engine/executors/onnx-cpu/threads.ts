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
const PATIENCE = 25;
/** Times that rise by more than this factor ask for a new trial early. */
const SLOWER = 1.3;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/**
 * Whether waiting threads spin, decided by the times of real runs and again as they change: spinning is faster on a
 * quiet machine, several times slower beside busy processes, and the load at the start of a training tells little
 * about the hours after. It changes nothing but time.
 */
export class SpinningChoice {
  #spinning = false;
  /** Times of a trial under way: without spinning first. */
  #trial: number[] | undefined = [];
  #block: number[] = [];
  #blocks = 0;
  /** Blocks before rising times may ask for a trial: more with every trial that changed nothing, as they cost time. */
  #patience = 1;
  #expected = 0;

  /** Whether the next run spins. */
  get spinning(): boolean {
    return this.#trial === undefined ? this.#spinning : this.#trial.length >= TRIAL;
  }

  /** Takes the time of a run made with {@link spinning}. */
  took(ms: number): void {
    if (this.#trial === undefined) {
      this.#block.push(ms);
      if (this.#block.length === BLOCK) this.#look();
      return;
    }
    this.#trial.push(ms);
    const waiting = median(this.#trial.slice(1, TRIAL));
    const spinning = this.#trial.slice(TRIAL + 1);
    const slow = spinning.filter((time) => time > waiting).length;
    // Most of them slower: no need to bear the rest.
    if (2 * slow >= TRIAL - 1) this.#settle(false, waiting);
    else if (spinning.length === TRIAL - 1) this.#settle(true, median(spinning));
  }

  #settle(spinning: boolean, ms: number): void {
    this.#patience = spinning === this.#spinning ? Math.min(PATIENCE, 2 * this.#patience) : 1;
    this.#spinning = spinning;
    this.#expected = ms;
    this.#trial = undefined;
    this.#blocks = 0;
  }

  #look(): void {
    const slower = median(this.#block) > SLOWER * this.#expected;
    this.#block = [];
    this.#blocks++;
    if (this.#blocks >= PATIENCE || (slower && this.#blocks >= this.#patience)) this.#trial = [];
  }
}
