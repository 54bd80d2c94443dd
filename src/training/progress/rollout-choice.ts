import { z } from 'zod';
import type { Episode } from '../../learning/index.js';
import { join } from '../../platform/index.js';
import { type PolicyBundle, readBundleFiles, writeBundle } from '../../policy/index.js';
import { rank } from './convergence.js';
import type { OccupancyDistance } from './occupancy-distance.js';
import { ScoreFile } from './score-file.js';

/** A candidate is compared by so many of the last episodes. */
const EPISODES = 5;

const scoreSchema = z.strictObject({
  version: z.int().min(0),
  distance: z.number(),
  worst: z.number(),
  episodes: z.int().min(1),
});

/** As a candidate's score that drove for itself, from episodes that were driven while it was learned. */
export type RolloutScore = Readonly<z.output<typeof scoreSchema>>;

export interface RolloutChoiceOptions {
  /** From the demonstrations; of states alone where nobody has seen their actions. */
  readonly distance: OccupancyDistance;
  /** Keeps every candidate, `<folder>/<version>/policy.onnx` and `manifest.json`, and their scores in `scores.json`. */
  readonly folder: string;
  /** The version that a resumed run goes on from: scores of later ones are forgotten, because they are made again. */
  readonly from: number;
}

/**
 * Chooses which of the policies of a run is deployed where none can be tried in a simulation: by the episodes that the
 * robot drives while it learns. A candidate's score is the distance of the last five whole episodes before it, the worst
 * of them counting as much as all together. These were driven by the actor that the candidate is an average of, with its
 * exploration, so they say less than episodes of its own would; but they cost the robot nothing. The actor can do for a
 * while what its average cannot yet, so a candidate counts no better than the candidates before and after it.
 */
export class RolloutChoice {
  readonly #options: RolloutChoiceOptions;
  readonly #file: ScoreFile<RolloutScore>;
  readonly #recent: Episode[] = [];
  #scores: RolloutScore[];

  /** Throws CORRUPT_DATA for scores of an earlier part of the run that cannot be read. */
  constructor(options: RolloutChoiceOptions) {
    this.#options = options;
    this.#file = new ScoreFile(options.folder, scoreSchema);
    this.#scores = options.from === 0 ? [] : this.#file.read().scores.filter(({ version }) => version <= options.from);
  }

  /** Scores so far, in the order of versions. */
  get scores(): readonly RolloutScore[] {
    return this.#scores;
  }

  /** Takes a whole episode that a policy of the run drove by itself. */
  episode(episode: Episode): void {
    if (episode.length === 0) return;
    this.#recent.push(episode);
    if (this.#recent.length > EPISODES) this.#recent.shift();
  }

  /**
   * Keeps a candidate with its score; undefined where fewer than five episodes have ended in this part of the run, which
   * is too few to judge by. Throws IO where it cannot be kept.
   */
  add(version: number, bundle: PolicyBundle): RolloutScore | undefined {
    if (this.#recent.length < EPISODES) return undefined;
    const score = { version, ...this.#options.distance.measure(this.#recent), episodes: this.#recent.length };
    writeBundle(this.#folderOf(version), bundle);
    this.#scores = [...this.#scores.filter((each) => each.version !== version), score];
    this.#file.write(this.#scores);
    return score;
  }

  /** The candidate that is nearest to the demonstrations, the newest of those that are as near; undefined without one. */
  best(): { readonly score: RolloutScore; readonly bundle: PolicyBundle } | undefined {
    const ranks = this.#scores.map((_, i) => Math.max(...this.#scores.slice(Math.max(0, i - 1), i + 2).map(rank)));
    const score = this.#scores[ranks.lastIndexOf(Math.min(...ranks))];
    if (score === undefined) return undefined;
    const folder = this.#folderOf(score.version);
    // Only read where it is wanted: the best one is mostly the one that was the best before.
    return {
      score,
      get bundle() {
        return readBundleFiles(folder);
      },
    };
  }

  #folderOf(version: number): string {
    return join(this.#options.folder, String(version));
  }
}
