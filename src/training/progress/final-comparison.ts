import type { PolicyBundle } from '../../policy/index.js';
import type { CandidateEpisode, CandidateScore } from './candidate-score.js';
import { rank } from './convergence.js';

/**
 * The comparisons at the end: over how many further starts, as a share of those of the last one, and how many policies are
 * left after it. A policy that falls once in four starts does not in five or twenty of them now and then: the fewer are
 * left, the more starts each has had.
 */
const ROUNDS = [
  { share: 1 / 2, left: 3 },
  { share: 1 / 2, left: 2 },
  { share: 1, left: 1 },
] as const;

/** A policy that takes part in the comparisons at the end. */
export interface Finalist {
  readonly version: number;
  readonly bundle: PolicyBundle;
}

/** A policy with the episodes that it has driven in the comparisons, and its score over all of them. */
export interface Compared extends Finalist {
  readonly driven: readonly CandidateEpisode[];
  readonly score: CandidateScore;
}

export interface FinalComparison {
  /** Starts of the last comparison; those before it have a share of them. */
  readonly starts: number;
  /** Has a policy that has driven from so many starts drive from the next ones. */
  readonly drive: (bundle: PolicyBundle, driven: number, episodes: number) => Promise<readonly CandidateEpisode[]>;
  readonly measure: (version: number, driven: readonly CandidateEpisode[]) => CandidateScore;
}

/** All finalists, the best first; those that were left out after a comparison keep their order behind those that went on. */
export async function compareAtTheEnd(
  given: readonly Finalist[],
  { starts, drive, measure }: FinalComparison,
): Promise<readonly Compared[]> {
  const compare = async (
    { version, bundle, driven = [] }: Finalist & Partial<Compared>,
    share: number,
  ): Promise<Compared> => {
    const all = [...driven, ...(await drive(bundle, driven.length, Math.ceil(share * starts)))];
    return { version, bundle, driven: all, score: measure(version, all) };
  };
  let finalists = given;
  let ranked: readonly Compared[] = [];
  for (const { share, left } of ROUNDS) {
    const compared: Compared[] = [];
    for (const finalist of finalists) compared.push(await compare(finalist, share));
    compared.sort((a, b) => rank(a.score) - rank(b.score));
    ranked = [...compared, ...ranked.slice(compared.length)];
    finalists = ranked.slice(0, left);
  }
  return ranked;
}
