/** What the learner's side asks of each robot, so that a thousand of them leave it time to learn. */
export interface Pace {
  /** For how long records are gathered into one message, in milliseconds; a robot that gathers for longer goes on so. */
  readonly gatherMs: number;
  /** Between two statuses of either end, in milliseconds. */
  readonly statusMs: number;
  /** Bytes of records that a robot may have under way. */
  readonly windowBytes: number;
}

const STATUS_MS = 1000;
const LONGEST_STATUS_MS = 5000;
const STATUSES_PER_SECOND = 200;
const LONGEST_GATHER_MS = 500;
const BATCHES_PER_SECOND = 2000;
/** What all robots may have under way is sent again at once where the learner's connection is lost. */
const ALL_WINDOWS = 64 * 1024 * 1024;
const SMALLEST_WINDOW = 32 * 1024;
const LARGEST_WINDOW = 1024 * 1024;

const between = (low: number, value: number, high: number): number => Math.round(Math.min(high, Math.max(low, value)));

/**
 * The pace of a fleet of this many robots. What a message costs does not depend on what is in it, so the more robots there
 * are, the longer each gathers: half a second at most, for what is learned from may be that late.
 */
export function paceOf(robots: number): Pace {
  return {
    gatherMs: between(0, (1000 * robots) / BATCHES_PER_SECOND, LONGEST_GATHER_MS),
    statusMs: between(STATUS_MS, (1000 * robots) / STATUSES_PER_SECOND, LONGEST_STATUS_MS),
    windowBytes: between(SMALLEST_WINDOW, ALL_WINDOWS / robots, LARGEST_WINDOW),
  };
}
