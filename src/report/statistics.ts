import type { EpisodeResult } from './data.js';

/** Statistics over episodes. */
export interface Summary {
  readonly episodes: number;
  readonly mean: number;
  /** Sample standard deviation; 0 for a single episode. */
  readonly deviation: number;
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
    return { episodes: 0, mean: Number.NaN, deviation: 0, successes: 0, successRate: 0, successInterval: [0, 1] };
  const mean = episodes.reduce((sum, episode) => sum + episode.return, 0) / n;
  const squares = episodes.reduce((sum, episode) => sum + (episode.return - mean) ** 2, 0);
  const successes = episodes.filter(({ success }) => success).length;
  const p = successes / n;
  const centre = (p + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = (Z / (1 + Z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  return {
    episodes: n,
    mean,
    deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : 0,
    successes,
    successRate: p,
    successInterval: [Math.max(0, centre - half), Math.min(1, centre + half)],
  };
}
