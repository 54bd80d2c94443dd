import type { PolicyBundle } from '../../policy/index.js';
import type { CandidateEpisode, CandidateScore, ComparedScore } from './candidate-score.js';
import { BETTER, rank } from './convergence.js';

/** Further starts of the first comparison, in which all finalists drive, as a share of those of the last one. */
const FIRST_SHARE = 1 / 2;
/**
 * The comparisons after it: how many policies take part, the best of the one before, and their share of further starts. A
 * policy that falls once in four starts does not in five or twenty of them now and then: the fewer are left, the more
 * starts each has had.
 */
const FURTHER = [
  { best: 3, share: 1 / 2 },
  { best: 2, share: 1 },
] as const;
/**
 * The best policies of the first comparison, whose means take part in it, too. Policies from other times of a run err in
 * part in other states, so that the mean of their actions often errs less than any of them.
 */
const MEANS_OF = 3;

/** A policy that takes part in the comparisons at the end. */
export interface Finalist {
  readonly version: number;
  readonly bundle: PolicyBundle;
}

/** A policy with the episodes that it has driven in the comparisons, and its score over all of them. */
export interface Compared extends Finalist {
  /** The versions whose mean it is; its own alone of a policy of the run. `version` is the newest of them. */
  readonly versions: readonly number[];
  readonly driven: readonly CandidateEpisode[];
  readonly score: ComparedScore;
}

export interface FinalComparison {
  /** Starts of the last comparison; those before it have a share of them. */
  readonly starts: number;
  /** Has a policy that has driven from so many starts drive from the next ones. */
  readonly drive: (bundle: PolicyBundle, driven: number, episodes: number) => Promise<readonly CandidateEpisode[]>;
  readonly measure: (version: number, driven: readonly CandidateEpisode[]) => CandidateScore;
  /** The policy that gives the mean of the actions of several; undefined where they have none. */
  readonly combine: (policies: readonly Finalist[]) => Promise<PolicyBundle | undefined>;
  /** Hears how many episodes have been driven, of how many; these become fewer where policies have no mean. */
  readonly onProgress: (done: number, total: number) => void;
}

/** A policy that is about to drive. */
type Driver = Omit<Compared, 'score'>;

/** A mean takes as long as all its members to run, so it has to be better by more than the noise. */
const order = ({ score, versions }: Compared): number => rank(score) / (versions.length > 1 ? BETTER : 1);

/** Every choice of two or more, the smaller ones first. */
function choicesOf<T>(all: readonly T[]): T[][] {
  const choices = Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_each, i) => (bits >> i) & 1));
  return choices.filter(({ length }) => length > 1).sort((a, b) => a.length - b.length);
}

async function meansOf(policies: readonly Finalist[], combine: FinalComparison['combine']): Promise<Driver[]> {
  const means: Driver[] = [];
  for (const members of choicesOf([...policies].sort((a, b) => a.version - b.version))) {
    const bundle = await combine(members);
    const versions = members.map(({ version }) => version);
    if (bundle !== undefined) means.push({ version: versions.at(-1)!, versions, bundle, driven: [] });
  }
  return means;
}

/**
 * All finalists and the means of the best of them, the best first; those that were left out after a comparison keep their
 * order behind those that went on.
 */
export async function compareAtTheEnd(
  given: readonly Finalist[],
  { starts, drive, measure, combine, onProgress }: FinalComparison,
): Promise<readonly Compared[]> {
  const starting = (share: number): number => Math.ceil(share * starts);
  const totalOf = (policies: number): number =>
    FURTHER.reduce(
      (sum, { best, share }) => sum + Math.min(best, policies) * starting(share),
      policies * starting(FIRST_SHARE),
    );
  let done = 0;
  let total = totalOf(given.length + choicesOf(given.slice(0, MEANS_OF)).length);
  onProgress(done, total);
  const compare = async (drivers: readonly Driver[], share: number): Promise<Compared[]> => {
    const compared: Compared[] = [];
    for (const { version, versions, bundle, driven: before } of drivers) {
      const driven = [...before, ...(await drive(bundle, before.length, starting(share)))];
      compared.push({ version, versions, bundle, driven, score: { ...measure(version, driven), versions } });
      done += starting(share);
      onProgress(done, total);
    }
    return compared;
  };
  const ordered = (compared: readonly Compared[]): Compared[] => [...compared].sort((a, b) => order(a) - order(b));
  const policies = given.map((each): Driver => ({ ...each, versions: [each.version], driven: [] }));
  const alone = ordered(await compare(policies, FIRST_SHARE));
  const means = await meansOf(alone.slice(0, MEANS_OF), combine);
  total = totalOf(alone.length + means.length);
  let ranked = ordered([...alone, ...(await compare(means, FIRST_SHARE))]);
  for (const { best, share } of FURTHER) {
    const compared = ordered(await compare(ranked.slice(0, best), share));
    ranked = [...compared, ...ranked.slice(compared.length)];
  }
  return ranked;
}
