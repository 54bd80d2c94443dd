import { InTurn, IqLearnError, mean } from '../../common/index.js';
import { join, kindOfPath } from '../../platform/index.js';
import { combineBundles, type PolicyBundle, readBundleFiles, writeBundle } from '../../policy/index.js';
import { runSeed } from '../seeds.js';
import {
  type CandidateEpisode,
  type CandidateScore,
  type ComparedScore,
  candidateScoreSchema,
} from './candidate-score.js';
import { convergedAt, rank } from './convergence.js';
import { compareAtTheEnd, type Finalist } from './final-comparison.js';
import type { OccupancyDistance } from './occupancy-distance.js';
import { describeTrial, ScoreFile, type Trial } from './score-file.js';

/** Numbers of starts from which candidates drive. */
export interface CandidateStarts {
  /** Of every candidate. */
  readonly screening: number;
  /** Further ones of the last comparison, that of the best two; those before it have a share of them. */
  readonly final: number;
}
const STARTS: CandidateStarts = { screening: 5, final: 20 };
/** Candidates that are compared again at the end, beside the last policy. */
const FINALISTS = 6;
export interface CandidateOptions {
  /** Has a policy drive an episode from the start of each seed, by its deterministic action, in a simulation of its own. */
  readonly drive: (bundle: PolicyBundle, seeds: readonly number[]) => Promise<readonly CandidateEpisode[]>;
  /** From the demonstrations; of states alone where nobody has seen their actions. */
  readonly distance: OccupancyDistance;
  /** Of the run. */
  readonly seed: number;
  /** Keeps every candidate, `<folder>/<version>/policy.onnx` and `manifest.json`, and their scores in `scores.json`. */
  readonly folder: string;
  /** The task that `drive` is of, with its options. */
  readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
  /** Hears that the scores so far are of another trial, as a sentence: those candidates drive again. */
  readonly onAnotherTrial?: (text: string) => void;
  /** 5 and 20 if not given. */
  readonly starts?: CandidateStarts;
  /** Whether the run ends once learning has converged: candidates after that do not count then. Not if not given. */
  readonly stopWhenConverged?: boolean;
}

/** What happens while the best policies of a run are compared. */
export interface ChoiceEvents {
  /** Each policy that was compared, the best first, over all starts that it has had. Called at the end. */
  readonly onScore?: (score: ComparedScore) => void;
  /** How many episodes have been driven, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Chooses which of the policies of a run is deployed, without a reward: learning goes on losing and finding what it can
 * do, so the last policy is seldom the best. Every candidate drives a few simulated episodes, and the occupancy distance
 * between these and the demonstrations is its score; the best are compared again over more starts. The worst fifth
 * of the episodes counts as much as all of them: a policy that falls now and then is not deployed where another does not.
 *
 * The starts are drawn from a stream of their own, which neither training nor the evaluation of a report uses. A resumed
 * run finds its earlier candidates in the folder, and chooses as if it had never stopped. Those whose scores are of
 * another task, or of another number of episodes, drive again.
 */
export class CandidateChoice {
  readonly #options: CandidateOptions;
  readonly #file: ScoreFile<CandidateScore>;
  readonly #scores = new Map<number, CandidateScore>();
  /** Candidates drive one after the other. */
  readonly #turns = new InTurn();

  /**
   * `versions` are those that a resumed run has had: they are scored now if they were not before. Scores of others are
   * forgotten. `last` is the newest of them, where the run knows it: it may have been killed before that was kept.
   * Throws CORRUPT_DATA for scores that cannot be read.
   */
  constructor(options: CandidateOptions, versions: readonly number[] = [], last?: PolicyBundle) {
    this.#options = options;
    this.#file = new ScoreFile(options.folder, candidateScoreSchema);
    const known = versions.length === 0 ? [] : this.#known();
    for (const version of versions) {
      const score = known.find((each) => each.version === version);
      if (score !== undefined) this.#scores.set(version, score);
      else if (kindOfPath(this.#folderOf(version)) === 'folder') void this.#screen(version).catch(() => undefined);
      else if (last !== undefined && version === versions.at(-1)) void this.add(version, last).catch(() => undefined);
    }
  }

  /** Scores so far, in the order of versions. */
  get scores(): readonly CandidateScore[] {
    return [...this.#scores.values()].sort((a, b) => a.version - b.version);
  }

  /** The version at which learning converged, so that the run can end; see `convergedAt`. */
  get converged(): number | undefined {
    return this.#options.stopWhenConverged === true ? convergedAt(this.scores) : undefined;
  }

  /**
   * Keeps a candidate, and has it drive after those that were added before; undefined where it no longer counts, because
   * learning had converged before it. Rejects with IO where it cannot be kept.
   */
  async add(version: number, bundle: PolicyBundle): Promise<CandidateScore | undefined> {
    writeBundle(this.#folderOf(version), bundle);
    return await this.#screen(version);
  }

  /**
   * The best of all candidates and of the `last` policy, compared over further starts; of a run that has converged, the
   * best of the candidates up to there.
   */
  choose(
    last: { readonly version: number; readonly bundle: PolicyBundle },
    { onScore = () => {}, onProgress = () => {} }: ChoiceEvents = {},
  ): Promise<{ readonly bundle: PolicyBundle; readonly score: ComparedScore }> {
    return this.#turns.run(async () => {
      const { screening, final } = this.#starts;
      const ranked = await compareAtTheEnd(this.#finalists(last), {
        starts: final,
        drive: (bundle, driven, episodes) => this.#drive(bundle, screening + driven, episodes),
        measure: (version, driven) => this.#measure(version, driven),
        combine: meanOfPolicies,
        onProgress,
      });
      for (const { score } of ranked) onScore(score);
      const { bundle, score } = ranked[0]!;
      return { bundle, score };
    });
  }

  /** The best candidates, the nearest first, and the last policy. */
  #finalists(last: Finalist): Finalist[] {
    // In the order of versions where two are equally near: a resumed run may have scored them in another order.
    const counted = this.scores.filter(({ version }) => version <= this.#end);
    const best = counted.sort((a, b) => rank(a) - rank(b)).slice(0, FINALISTS);
    const finalists = best.map(({ version }): Finalist => {
      return { version, bundle: readBundleFiles(this.#folderOf(version)) };
    });
    const isNew = last.version <= this.#end && best.every(({ version }) => version !== last.version);
    return isNew ? [...finalists, last] : finalists;
  }

  /** The scores of the file that are of what candidates drive now. */
  #known(): readonly CandidateScore[] {
    const { trial, scores } = this.#file.read();
    const { task, episodes } = this.#trial;
    // Files from before it was kept are of the task without options.
    const said = trial ?? { task, options: {}, episodes: scores[0]?.episodes ?? episodes };
    const [before, now] = [said, this.#trial].map(describeTrial);
    if (before === now || scores.length === 0) return scores;
    this.#options.onAnotherTrial?.(`the policies of this run were compared by ${before}: they drive again, ${now}`);
    return [];
  }

  get #trial(): Trial {
    const { name, options = {} } = this.#options.task;
    return { task: name, options, episodes: this.#starts.screening };
  }

  #screen(version: number): Promise<CandidateScore | undefined> {
    return this.#turns.run(async () => {
      if (version > this.#end) return undefined;
      const bundle = readBundleFiles(this.#folderOf(version));
      const score = this.#measure(version, await this.#drive(bundle, 0, this.#starts.screening));
      this.#scores.set(version, score);
      this.#file.write(this.scores, this.#trial);
      return score;
    });
  }

  #drive(bundle: PolicyBundle, first: number, episodes: number): Promise<readonly CandidateEpisode[]> {
    const { drive, seed } = this.#options;
    return drive(
      bundle,
      Array.from({ length: episodes }, (_, i) => runSeed(seed, 'candidate', first + i)),
    );
  }

  #measure(version: number, driven: readonly CandidateEpisode[]): CandidateScore {
    const measured = this.#options.distance.measure(driven.map(({ episode }) => episode));
    return { version, ...measured, episodes: driven.length, return: mean(driven.map((each) => each.return)) };
  }

  get #starts(): CandidateStarts {
    return this.#options.starts ?? STARTS;
  }

  /** The last version that counts. */
  get #end(): number {
    return this.converged ?? Number.POSITIVE_INFINITY;
  }

  #folderOf(version: number): string {
    return join(this.#options.folder, String(version));
  }
}

/**
 * The mean of the actions of policies of one run; undefined where they have none: two of them are the same, or some were
 * written before an update of the package that writes policies in another way.
 */
async function meanOfPolicies(policies: readonly Finalist[]): Promise<PolicyBundle | undefined> {
  const models = policies.map(({ bundle }) => Buffer.from(bundle.model));
  if (models.some((model, i) => models.slice(0, i).some((each) => each.equals(model)))) return undefined;
  try {
    return await combineBundles(policies.map(({ version, bundle }) => ({ source: `version ${version}`, bundle })));
  } catch (error) {
    if (error instanceof IqLearnError && error.code === 'MISMATCH') return undefined;
    throw error;
  }
}

/** The versions of the candidates that a run which has come to `version` has had, with one after `every` versions. */
export const candidateVersions = (version: number, every: number): number[] =>
  Array.from({ length: Math.floor(version / every) }, (_, i) => (i + 1) * every);
