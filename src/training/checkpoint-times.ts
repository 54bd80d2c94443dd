import type { CheckpointPlan } from './process/protocol.js';

/** Of the time, the most that goes into writing checkpoints where they have a least time between them. */
const SHARE_OF_WRITING = 0.05;

/** Whether a multiple of `every` was reached on the way from `before` to `now`. */
export const reaches = (every: number, before: number, now: number): boolean =>
  Math.floor(now / every) > Math.floor(before / every);

/** When the newest checkpoint was written and what it holds, and when the next one is due. */
export class CheckpointTimes {
  readonly #plan: CheckpointPlan | undefined;
  /** Segments that it holds, when it was written, and for how long that took. */
  #newest: { readonly version: number; readonly atMs: number; readonly ms: number };
  readonly #nowMs: () => number;

  constructor(plan: CheckpointPlan | undefined, nowMs = (): number => performance.now()) {
    this.#plan = plan;
    this.#nowMs = nowMs;
    this.#newest = { version: 0, atMs: nowMs(), ms: 0 };
  }

  /** Learning went on from a checkpoint that holds so many segments. */
  restored(version: number): void {
    this.#newest = { ...this.#newest, version };
  }

  /**
   * In how many milliseconds one is to be written, now that so many segments were learned from: 0 or less is now. Undefined
   * where more segments are needed.
   */
  dueInMs(version: number): number | undefined {
    if (this.#plan === undefined) return undefined;
    const { everySegments, leastSeconds } = this.#plan;
    if (!reaches(everySegments, this.#newest.version, version)) return undefined;
    if (leastSeconds === undefined) return 0;
    const { atMs, ms } = this.#newest;
    return atMs + Math.max(1000 * leastSeconds, ms / SHARE_OF_WRITING) - this.#nowMs();
  }

  /** Writes one, and gives what `write` gives. */
  written<Result>(version: number, write: () => Result): Result {
    const startMs = this.#nowMs();
    const result = write();
    const atMs = this.#nowMs();
    this.#newest = { version, atMs, ms: atMs - startMs };
    return result;
  }
}
