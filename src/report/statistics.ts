import type { EpisodeResult } from './data.js';

/** Statistics over episodes. */
export interface Summary {
  readonly episodes: number;
  readonly mean: number;
  /** Sample standard deviation; 0 for a single episode. */
  readonly deviation: number;
  /** The lowest return; NaN without an episode. */
  readonly lowest: number;
  /** Episodes that a true terminal state ended, such as a fall; undefined where that was not kept. */
  readonly terminated: number | undefined;
  readonly successes: number;
  /** successes / episodes and its 95 % interval (Wilson 1927), which is valid near 0 and 1 too. */
  readonly successRate: number;
  readonly successInterval: readonly [number, number];
}

/** The normal quantile of a two-sided 95 % interval. */
const Z = 1.959964;

export function summarise(episodes: readonly EpisodeResult[]): Summary {
  const n = episodes.length;
  if (n === 0)
    return {
      ...{ episodes: 0, mean: Number.NaN, deviation: 0, lowest: Number.NaN, terminated: undefined },
      ...{ successes: 0, successRate: 0, successInterval: [0, 1] },
    };
  const mean = episodes.reduce((sum, episode) => sum + episode.return, 0) / n;
  const squares = episodes.reduce((sum, episode) => sum + (episode.return - mean) ** 2, 0);
  const successes = episodes.filter(({ success }) => success).length;
  return {
    episodes: n,
    mean,
    deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : 0,
    lowest: Math.min(...episodes.map((episode) => episode.return)),
    terminated: episodes.some(({ terminated }) => terminated === undefined)
      ? undefined
      : episodes.filter(({ terminated }) => terminated).length,
    successes,
    successRate: successes / n,
    successInterval: successInterval(successes, n),
  };
}

/** The 95 % interval of a success rate (Wilson 1927), which is valid near 0 and 1 too; all of 0…1 without an episode. */
export function successInterval(successes: number, episodes: number): readonly [number, number] {
  if (episodes === 0) return [0, 1];
  const p = successes / episodes;
  const centre = (p + Z ** 2 / (2 * episodes)) / (1 + Z ** 2 / episodes);
  const half = (Z / (1 + Z ** 2 / episodes)) * Math.sqrt((p * (1 - p)) / episodes + Z ** 2 / (4 * episodes ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** The quantile of Student's t of a two-sided 95 % interval: exact for one and two degrees of freedom, else within 1 %. */
function studentQuantile(freedom: number): number {
  if (freedom === 1) return 12.7062;
  if (freedom === 2) return 4.30265;
  // The expansion in 1 / freedom of Abramowitz and Stegun, 26.7.5.
  const terms = [
    (Z ** 3 + Z) / 4,
    (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96,
    (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384,
    (79 * Z ** 9 + 776 * Z ** 7 + 1482 * Z ** 5 - 1920 * Z ** 3 - 945 * Z) / 92160,
  ];
  return terms.reduce((sum, term, i) => sum + term / freedom ** (i + 1), Z);
}

/** The 95 % interval of a mean return (Student). It needs two episodes: of fewer, both ends are NaN. */
export function meanInterval({
  episodes,
  mean,
  deviation,
}: Pick<Summary, 'episodes' | 'mean' | 'deviation'>): readonly [number, number] {
  if (episodes < 2) return [Number.NaN, Number.NaN];
  const half = (studentQuantile(episodes - 1) * deviation) / Math.sqrt(episodes);
  return [mean - half, mean + half];
}
