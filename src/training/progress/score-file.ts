import { z } from 'zod';
import { parseOrThrow } from '../../common/index.js';
import { join, kindOfPath, readJson, writeFileAtomic } from '../../platform/index.js';

const trialSchema = z.strictObject({
  task: z.string(),
  options: z.record(z.string(), z.unknown()),
  episodes: z.int().min(1),
});

/** What candidates drive for their scores: a task with its options, and so many episodes. Scores of another trial say something else. */
export type Trial = Readonly<z.output<typeof trialSchema>>;

/** The scores of a run's policies in `scores.json`, beside the policies themselves. */
export class ScoreFile<Score> {
  readonly #file: string;
  readonly #schema: z.ZodType<Score>;

  /** `schema` is that of one score. */
  constructor(folder: string, schema: z.ZodType<Score>) {
    this.#file = join(folder, 'scores.json');
    this.#schema = schema;
  }

  /**
   * The scores, and which trial they are of; null where the file does not say, as of episodes that the robot drove while it learned.
   * None where there is no file. Throws CORRUPT_DATA for one that cannot be read.
   */
  read(): { readonly trial: Trial | null; readonly scores: readonly Score[] } {
    const file = this.#file;
    if (kindOfPath(file) !== 'file') return { trial: null, scores: [] };
    const remedy = 'delete the file: the candidates are then compared again';
    const refused = { code: 'CORRUPT_DATA', what: () => `${file} is damaged`, remedy } as const;
    const list = z.array(this.#schema);
    const content = readJson(file, { remedy });
    if (Array.isArray(content)) return { trial: null, scores: parseOrThrow(list, content, refused) };
    return parseOrThrow(z.strictObject({ trial: trialSchema, scores: list }), content, refused);
  }

  write(scores: readonly Score[], trial?: Trial): void {
    writeFileAtomic(this.#file, `${JSON.stringify(trial === undefined ? scores : { trial, scores })}\n`);
  }
}

/** A trial in words. */
export function describeTrial({ task, options, episodes }: Trial): string {
  const given = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${episodes} episodes of ${task}${given.length === 0 ? '' : ` with ${given.sort().join(', ')}`}`;
}
