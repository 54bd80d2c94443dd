import type { Curve, Figure } from '../harness.js';

/** What one run of a table found: the returns of the policy on fresh starts, and what is needed to judge it. */
export interface RunResult {
  readonly job: string;
  /** Returns of the last policy on fresh starts, one each. */
  readonly last: readonly number[];
  /**
   * Returns, on the same starts, of what the last policy is held against: the best policy of the curve, which is chosen by
   * its return and flatters, or a policy that the table names.
   */
  readonly best: readonly number[];
  /** [updates or steps, mean return] along the run. */
  readonly curve: readonly (readonly [number, number])[];
  /** [return of the task, recovered reward] of episodes that both rewards were summed over. */
  readonly scatter?: readonly (readonly [number, number])[];
  /** Mean return of the demonstrations that were used. */
  readonly demonstrations: number;
  readonly seconds: number;
  /** The complete settings of the learner: a default that changes later must not change what a result says. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Mean return of all episodes of the demonstrator, also of those that are not learned from; fractions are of it. */
  readonly demonstrator?: number;
  /** How the run itself chose a policy without a reward; `best` holds its returns then. */
  readonly chosen?: {
    readonly steps: number;
    /** Of the policies whose mean it is; absent of runs from before means were compared. */
    readonly meanOf?: readonly number[];
    readonly distance: number;
    /** Spearman's, of nearness to the demonstrations and return over all candidates; null where it is not defined. */
    readonly rankCorrelation: number | null;
  };
  /** Episodes of `last` and of `best` that ended in a true terminal state. */
  readonly terminated?: { readonly last: number; readonly best: number };
  /** Why learning ended early, where it diverged. */
  readonly diverged?: string;
}

/** One run of a table: small enough for one core, and independent of all others. */
export interface Job {
  /** Its folder below that of the table, for example `cartpole/iq-chi2/1/seed-0`. */
  readonly name: string;
  /** `folder` is the job's own; what lies in it is there again when a job that was killed is run again. */
  run(folder: string): Promise<Omit<RunResult, 'job'>>;
}

/** Options that every table has. */
export interface TableOptions {
  /** Folder of the demonstrations, one .npz an environment. */
  readonly data: string;
  readonly seeds: readonly number[];
  /** Fresh starts of the figures. */
  readonly episodes: number;
  /** Gradient updates of a run that does not act. */
  readonly updates: number;
}

/** A table of the paper. */
export interface PaperTable {
  readonly name: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  jobs(options: TableOptions): readonly Job[];
  /** Figures for the result file, and the document for docs/results without its heading. */
  summarise(results: readonly RunResult[], options: TableOptions): TableSummary;
}

export interface TableSummary {
  readonly figures: readonly Figure[];
  readonly curves: readonly Curve[];
  /** Markdown: tables beside the published figures. */
  readonly document: string;
  /** A picture, where there is something to draw. */
  readonly svg?: string;
}
