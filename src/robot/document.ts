import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { IqLearnError, nearest, valueAt } from '../common/index.js';

export type Path = readonly (string | number)[];

const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};

function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `['${key}']`;
  }
  return text === '' ? 'the document' : text;
}

/** What a refusal says beside the place: see {@link IqLearnError}. */
export interface Refusal {
  readonly found: string;
  readonly expected: string;
  readonly remedy?: string;
}

/** A YAML document whose errors name file, line and path in it. */
export class SpecDocument {
  readonly source: string;
  readonly value: unknown;
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #lines = new LineCounter();

  /** Throws INVALID_CONFIG for text that is not YAML (duplicate keys included). */
  constructor(text: string, source: string) {
    this.source = source;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const [error] = this.#document.errors;
    if (error !== undefined)
      throw new IqLearnError(
        'INVALID_CONFIG',
        `${source}:${this.#lines.linePos(error.pos[0]).line} is not valid YAML`,
        {
          found: error.message,
          expected: 'a YAML document',
        },
      );
    visit(this.#document, {
      Alias: (_, alias) => {
        const line = alias.range === null || alias.range === undefined ? 1 : this.#lines.linePos(alias.range[0]).line;
        throw new IqLearnError('INVALID_CONFIG', `${source}:${line} uses a YAML alias`, {
          found: `*${alias.source}`,
          expected: 'every value written out',
        });
      },
    });
    this.value = this.#document.toJS();
  }

  /** The error for the value at `path`, naming file and line. */
  refusal(path: Path, refusal: Refusal): IqLearnError {
    return new IqLearnError('INVALID_CONFIG', `${this.source}:${this.#lineOf(path)} ${pathText(path)}`, refusal);
  }

  /** Checks the value at `path` against a schema; the first thing that is wrong is thrown as INVALID_CONFIG. */
  check<Schema extends z.ZodType>(
    schema: Schema,
    value: unknown,
    path: Path,
    known: readonly string[],
  ): z.output<Schema> {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    // A misspelt key shows twice: as unknown and as a missing one. The unknown key is the one to correct.
    const issue = result.error.issues.find(({ code }) => code === 'unrecognized_keys') ?? result.error.issues[0]!;
    const more = result.error.issues.length - 1;
    const and = more === 0 ? '' : ` (and ${more} more in this place)`;
    const at = [...path, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
    if (issue.code === 'unrecognized_keys') {
      const key = issue.keys[0]!;
      const meant = nearest(key, known);
      throw this.refusal([...at, key], {
        found: `an unknown field '${key}'${and}`,
        expected: known.join(', '),
        ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
      });
    }
    const found = this.#document.getIn(at);
    throw this.refusal(at, {
      found: shown(isScalar(found) ? found.value : valueAt(value, issue.path)) + and,
      expected: issue.message,
    });
  }

  /** The line of the value at `path`, or of the innermost part around it that exists. */
  #lineOf(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const offset = this.#offsetOf(path.slice(0, length));
      if (offset !== undefined) return this.#lines.linePos(offset).line;
    }
    return 1;
  }

  #offsetOf(path: Path): number | undefined {
    const last = path.at(-1);
    const parent = path.length === 0 ? undefined : this.#document.getIn(path.slice(0, -1), true);
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
      return (pair?.key as Node | undefined)?.range?.[0];
    }
    const node = path.length === 0 ? this.#document.contents : (this.#document.getIn(path, true) as Node | undefined);
    return node?.range?.[0];
  }
}
