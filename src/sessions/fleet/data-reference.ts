import { type Episode, numbersOf } from '../../learning/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';

/** What one number of the observation may be, and how long it may stay the same. */
export interface FeatureReference {
  readonly name: string;
  /** Values outside of these are not believed. */
  readonly low: number;
  readonly high: number;
  /** Limits of the description, at which a value may stay for as long as it likes; infinite where there are none. */
  readonly limits: readonly [number, number];
  /** Steps for which it may stay the same, to the last bit. */
  readonly mostStill: number;
}

/** A feature without limits is not believed farther from the demonstrations than this, in widths of their range. */
const FAR = 10;
/** Share of the width of the description's limits that a value may lie beyond them. */
const SLACK = 0.05;
/** A feature may stay the same this many times as long as it ever did in the demonstrations, or for some seconds. */
const STILL_FACTOR = 3;
const STILL_SECONDS = 5;

/**
 * What the numbers of a healthy robot look like: the limits of its description where it has some, otherwise the
 * neighbourhood of the demonstrations; and for each number that moves in the demonstrations how long it may stand still.
 * Without demonstrations only the description's limits are known.
 */
export function dataReference(spec: RobotSpec, demonstrations: readonly Episode[]): readonly FeatureReference[] {
  const observation = observationOf(spec);
  const size = spec.observation.length;
  const episodes = demonstrations.map(({ observations, length }) => ({
    rows: length + 1,
    numbers: numbersOf(observation, observations, length + 1),
  }));
  return spec.observation.map(({ name, low, high }, k) => {
    const seen = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, still: 0, moves: false };
    for (const { rows, numbers } of episodes) {
      // Blocks beside the named numbers may hold numbers, too.
      const width = numbers.length / rows;
      let still = 0;
      for (let t = 0; t < rows; t++) {
        const value = numbers[t * width + k]!;
        seen.low = Math.min(seen.low, value);
        seen.high = Math.max(seen.high, value);
        still = t > 0 && value === numbers[(t - 1) * width + k] ? still + 1 : 0;
        if (t > 0 && still === 0) seen.moves = true;
        seen.still = Math.max(seen.still, still);
      }
    }
    const limited = Number.isFinite(low) && Number.isFinite(high);
    const margin = limited
      ? SLACK * (high - low)
      : FAR * Math.max(seen.high - seen.low, Math.abs(seen.low), Math.abs(seen.high), 1e-3);
    const known = limited || size === 0 || episodes.length > 0;
    return {
      name,
      low: known ? (limited ? low : seen.low) - margin : Number.NEGATIVE_INFINITY,
      high: known ? (limited ? high : seen.high) + margin : Number.POSITIVE_INFINITY,
      limits: [low, high],
      mostStill: seen.moves
        ? Math.max(STILL_FACTOR * seen.still, STILL_SECONDS * spec.rateHz)
        : Number.POSITIVE_INFINITY,
    };
  });
}
