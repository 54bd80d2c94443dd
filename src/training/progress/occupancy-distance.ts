import { IqLearnError, mean, type ObservationSpec, Random } from '../../common/index.js';
import { type Episode, type Normalisation, numbersOf } from '../../learning/index.js';
import { runNormalisation } from '../contract.js';

/** Random unit directions that rows are projected on. */
const DIRECTIONS = 128;
/** Quantiles of a projection that are compared. */
const QUANTILES = 400;
/** The last entry of a row that stands for "the episode has ended": large beside normalised observations and actions. */
const ENDED = 5;
/**
 * The share of the episodes that counts as the worst. Of policies that all fall now and then the farthest single episode
 * says little (when it fell), how many are far away says more.
 */
const WORST = 1 / 5;
/** How far a state beyond what the demonstrations saw may lie at most: nearer than an episode that has ended. */
const FARTHEST = 4;

export interface Distance {
  /** Of all episodes together. 0 where policy and demonstrations visit the same states and actions. */
  readonly distance: number;
  /** The mean of those of the fifth of the episodes that is farthest from the demonstrations; of up to five, the farthest. */
  readonly worst: number;
}

/** What is said where policies are chosen whose observations have images; null where the distance compares all that is observed. */
export function notCompared(observation: ObservationSpec): string | null {
  const images = observation.filter(({ dtype }) => dtype === 'uint8').map(({ name }) => name);
  if (images.length === 0) return null;
  return `the distance from the demonstrations compares numbers and actions, and no images (${images.join(', ')}): a policy that sees something else than the demonstrator did, and acts alike, counts as near`;
}

/**
 * How far the states and actions that a policy visits are from those of the demonstrations: a measure of imitation
 * that needs no reward. It is the sliced Wasserstein-1 distance (Bonneel et al., 2015) between the rows
 * [(s − mean) / scale, a, 0] of both: the mean over random unit directions of the Wasserstein-1 distance of the
 * projections, each taken from 400 quantiles.
 *
 * An episode that ended in a true terminal state before the longest demonstration did is filled up with rows
 * [0, 0, 5], so that falling early costs distance, and reaching a goal as early as the demonstrations do costs none.
 *
 * What lies beyond the range of the demonstrations, of length x over all entries, counts for 4 tanh(x / 4): much as it is
 * while it is small, and never for more than an episode that has ended. From one demonstration, in which a robot hardly
 * leaves its place, a policy that keeps its balance and drifts would else be farther away than one that falls at once.
 *
 * As a rule of thumb from simulated walkers: 0.9 for a beginner, 0.5 at 60 % of the demonstrator's return, below 0.07
 * at 99 %.
 */
export class OccupancyDistance {
  readonly #observation: ObservationSpec;
  readonly #normalisation: Normalisation;
  readonly #actionSize: number;
  readonly #horizon: number;
  /** [DIRECTIONS × (o + a + 1)], row-major. */
  readonly #directions: Float64Array;
  /** [DIRECTIONS × QUANTILES], row-major. */
  readonly #reference: Float64Array;
  /** The least and the most of each normalised entry of the demonstrated states. */
  readonly #range: readonly { low: number; high: number }[];

  /**
   * With an `actionSize` of 0 states alone are compared. `normalisation` is that of the demonstrations unless another is
   * given; bytes (images) are left out. Throws INVALID_ARGUMENT without a step of demonstration.
   */
  constructor(
    demonstrations: readonly Episode[],
    observation: ObservationSpec,
    actionSize: number,
    { normalisation = runNormalisation(demonstrations, observation), seed = 0 } = {},
  ) {
    this.#observation = observation;
    this.#normalisation = normalisation;
    this.#actionSize = actionSize;
    this.#horizon = Math.max(0, ...demonstrations.map(({ length }) => length));
    if (this.#horizon === 0)
      throw new IqLearnError('INVALID_ARGUMENT', 'there is nothing to measure a distance from', {
        found: `${demonstrations.length} demonstrations without a step`,
        expected: 'at least one step of demonstration',
        remedy: 'give demonstrations',
      });
    this.#directions = unitVectors(DIRECTIONS, this.#rowSize, Random.derive(seed, 'directions'));
    this.#range = Array.from(normalisation.mean, () => ({
      low: Number.POSITIVE_INFINITY,
      high: Number.NEGATIVE_INFINITY,
    }));
    for (const demonstration of demonstrations) this.#widen(demonstration);
    this.#reference = this.#quantiles(demonstrations);
  }

  #widen(demonstration: Episode): void {
    const o = this.#range.length;
    this.#normalised(demonstration).forEach((x, i) => {
      const range = this.#range[i % o]!;
      range.low = Math.min(range.low, x);
      range.high = Math.max(range.high, x);
    });
  }

  /** The states in which an episode acts, normalised, [length × o]. */
  #normalised({ observations, length }: Episode): Float64Array {
    const { mean, scale } = this.#normalisation;
    const o = mean.length;
    const numbers = numbersOf(this.#observation, observations, length);
    return Float64Array.from({ length: length * o }, (_, i) => (numbers[i]! - mean[i % o]!) / scale[i % o]!);
  }

  /** The same, with what lies beyond the range of the demonstrations drawn nearer. */
  #states(episode: Episode): Float64Array {
    const states = this.#normalised(episode);
    const o = this.#range.length;
    const within = (i: number): number => {
      const { low, high } = this.#range[i % o]!;
      return Math.min(high, Math.max(low, states[i]!));
    };
    for (let first = 0; first < states.length; first += o) {
      let square = 0;
      for (let i = first; i < first + o; i++) square += (states[i]! - within(i)) ** 2;
      if (square === 0) continue;
      const beyond = Math.sqrt(square);
      const nearer = (FARTHEST * Math.tanh(beyond / FARTHEST)) / beyond;
      for (let i = first; i < first + o; i++) states[i] = within(i) + (states[i]! - within(i)) * nearer;
    }
    return states;
  }

  /** Of episodes that a policy drove. Throws INVALID_ARGUMENT where none has a step. */
  measure(episodes: readonly Episode[]): Distance {
    const driven = drivenOf(episodes);
    const each = driven.map((episode) => this.#from(this.#quantiles([episode])));
    const farthest = [...each].sort((a, b) => b - a).slice(0, Math.ceil(each.length * WORST));
    return {
      distance: driven.length === 1 ? each[0]! : this.#from(this.#quantiles(driven)),
      worst: mean(farthest),
    };
  }

  /** The distance of all episodes together alone, for half the work. Throws INVALID_ARGUMENT where none has a step. */
  together(episodes: readonly Episode[]): number {
    return this.#from(this.#quantiles(drivenOf(episodes)));
  }

  get #rowSize(): number {
    return this.#normalisation.mean.length + this.#actionSize + 1;
  }

  #from(quantiles: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < quantiles.length; i++) sum += Math.abs(quantiles[i]! - this.#reference[i]!);
    return sum / quantiles.length;
  }

  /** Rows an episode counts for: its steps, and the rest of the horizon where a terminal state ended it. */
  #rowsOf(episode: Episode): number {
    return episode.terminated ? Math.max(episode.length, this.#horizon) : episode.length;
  }

  /** Quantiles of the projections of all rows of the episodes, [DIRECTIONS × QUANTILES]. */
  #quantiles(episodes: readonly Episode[]): Float64Array {
    const o = this.#normalisation.mean.length;
    const a = this.#actionSize;
    const rows = episodes.reduce((sum, episode) => sum + this.#rowsOf(episode), 0);
    const projections = new Float64Array(rows);
    const out = new Float64Array(DIRECTIONS * QUANTILES);
    const driven = episodes.map((episode) => ({
      length: episode.length,
      actions: episode.actions,
      states: this.#states(episode),
    }));
    for (let k = 0; k < DIRECTIONS; k++) {
      const direction = this.#directions.subarray(k * this.#rowSize, (k + 1) * this.#rowSize);
      let row = 0;
      for (const { length, states, actions } of driven) {
        for (let t = 0; t < length; t++, row++) {
          let sum = 0;
          for (let i = 0; i < o; i++) sum += direction[i]! * states[t * o + i]!;
          for (let i = 0; i < a; i++) sum += direction[o + i]! * actions[t * a + i]!;
          projections[row] = sum;
        }
      }
      projections.fill(ENDED * direction[o + a]!, row);
      projections.sort();
      for (let q = 0; q < QUANTILES; q++) out[k * QUANTILES + q] = quantile(projections, (q + 0.5) / QUANTILES);
    }
    return out;
  }
}

function drivenOf(episodes: readonly Episode[]): Episode[] {
  const driven = episodes.filter(({ length }) => length > 0);
  if (driven.length > 0) return driven;
  throw new IqLearnError('INVALID_ARGUMENT', 'there is no episode to measure', {
    found: `${episodes.length} episodes without a step`,
    expected: 'at least one step',
  });
}

/** `count` vectors of length 1, uniformly distributed over directions. */
function unitVectors(count: number, size: number, random: Random): Float64Array {
  const out = new Float64Array(count * size);
  for (let k = 0; k < count; k++) {
    const vector = out.subarray(k * size, (k + 1) * size);
    for (let i = 0; i < size; i++) vector[i] = random.normal();
    const length = Math.hypot(...vector);
    for (let i = 0; i < size; i++) vector[i]! /= length;
  }
  return out;
}

/** The quantile of sorted values at `share` in (0, 1), linear between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const at = Math.min(sorted.length - 1, Math.max(0, share * sorted.length - 0.5));
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
