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

/**
 * The outcomes of the finished shares of a long run. In a folder they outlive the process, and the run goes on there: a file
 * for each attack, so that several processes may work on different attacks of one run.
 */
export class FinishedShares {
  readonly #folder: string | null;
  readonly #about: string;
  readonly #outcomes = new Map<string, Record<string, unknown>>();

  /** `about` is what the outcomes depend on: options, seed, commit. Without a folder nothing is kept. */
  constructor(folder: string | null, about: Readonly<Record<string, unknown>>) {
    this.#about = JSON.stringify(about);
    this.#folder = folder;
    if (folder !== null) mkdirSync(folder, { recursive: true });
  }

  /**
   * The outcomes of an attack by the numbers of its shares. Throws MISMATCH where the folder is of a run about something
   * else: outcomes of different code must not be added.
   */
  of(attack: string): Readonly<Record<string, unknown>> {
    let outcomes = this.#outcomes.get(attack);
    if (outcomes === undefined) {
      outcomes = this.#read(attack);
      this.#outcomes.set(attack, outcomes);
    }
    return outcomes;
  }

  add(attack: string, share: number, outcome: unknown): void {
    const outcomes = { ...this.of(attack), [share]: outcome };
    this.#outcomes.set(attack, outcomes);
    if (this.#folder !== null)
      writeFileAtomic(this.#pathOf(this.#folder, attack), `${JSON.stringify({ about: this.#about, outcomes })}\n`);
  }

  #read(attack: string): Record<string, unknown> {
    const path = this.#folder === null ? undefined : this.#pathOf(this.#folder, attack);
    if (path === undefined || !existsSync(path)) return {};
    const kept = JSON.parse(readFileSync(path, 'utf8')) as { about: string; outcomes: Record<string, unknown> };
    if (kept.about !== this.#about)
      throw new IqLearnError('MISMATCH', `${path} is of another run`, {
        found: kept.about,
        expected: this.#about,
        remedy: 'go on with the options and the commit that it was begun with, or name another folder',
      });
    return kept.outcomes;
  }

  #pathOf(folder: string, attack: string): string {
    return join(folder, `${attack.replace(/\W+/g, '-')}.json`);
  }
}
