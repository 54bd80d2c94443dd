import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IqLearnError } from '../../src/common/index.js';
import { writeFileAtomic } from '../../src/platform/index.js';

/** What came of some tries: counts and times, and what was found, in words. */
export type Outcome<T> = { readonly [Name in keyof T]: number | readonly string[] };

/** The outcome of more tries: counts are added, of times (`…Ms`) the longest is kept, findings are put together. */
export function added<T extends Outcome<T>>(before: T | undefined, more: T): T {
  if (before === undefined) return more;
  const sum = Object.entries(more).map(([name, value]) => {
    const known = (before as Readonly<Record<string, number | readonly string[]>>)[name]!;
    if (typeof value !== 'number') return [name, [...(known as string[]), ...(value as string[])]];
    return [name, name.endsWith('Ms') ? Math.max(known as number, value) : (known as number) + value];
  });
  return Object.fromEntries(sum) as T;
}

/** The outcomes of the finished shares of a long run. In a folder they outlive the process, and the run goes on there. */
export class FinishedShares {
  readonly #path: string | undefined;
  readonly #about: string;
  readonly #outcomes: Record<string, unknown>;

  /**
   * `about` is what the outcomes depend on: options, seed, commit. Without a folder nothing is kept. Throws MISMATCH
   * where the folder is of a run about something else: outcomes of different code must not be added.
   */
  constructor(folder: string | null, about: Readonly<Record<string, unknown>>) {
    this.#about = JSON.stringify(about);
    this.#outcomes = {};
    if (folder === null) return;
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, 'shares.json');
    if (!existsSync(this.#path)) return;
    const kept = JSON.parse(readFileSync(this.#path, 'utf8')) as { about: string; outcomes: Record<string, unknown> };
    if (kept.about !== this.#about)
      throw new IqLearnError('MISMATCH', `${this.#path} is of another run`, {
        found: kept.about,
        expected: this.#about,
        remedy: 'go on with the options and the commit that it was begun with, or name another folder',
      });
    this.#outcomes = kept.outcomes;
  }

  /** The outcome of a share, if it is finished. */
  get(name: string): unknown {
    return this.#outcomes[name];
  }

  add(name: string, outcome: unknown): void {
    this.#outcomes[name] = outcome;
    if (this.#path !== undefined)
      writeFileAtomic(this.#path, `${JSON.stringify({ about: this.#about, outcomes: this.#outcomes })}\n`);
  }
}
