import { z } from 'zod';
import { parseOrThrow } from '../../common/index.js';
import { join, kindOfPath, readJson, writeFileAtomic } from '../../platform/index.js';

/** The scores of a run's policies in `scores.json`, beside the policies themselves. */
export class ScoreFile<Score> {
  readonly #file: string;
  readonly #schema: z.ZodType<Score>;

  /** `schema` is that of one score. */
  constructor(folder: string, schema: z.ZodType<Score>) {
    this.#file = join(folder, 'scores.json');
    this.#schema = schema;
  }

  /** None where there is no file. Throws CORRUPT_DATA for one that cannot be read. */
  read(): Score[] {
    const file = this.#file;
    if (kindOfPath(file) !== 'file') return [];
    const remedy = 'delete the file: the candidates are then compared again';
    const refused = { code: 'CORRUPT_DATA', what: () => `${file} is damaged`, remedy } as const;
    return parseOrThrow(z.array(this.#schema), readJson(file, { remedy }), refused);
  }

  write(scores: readonly Score[]): void {
    writeFileAtomic(this.#file, `${JSON.stringify(scores)}\n`);
  }
}
