import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { IqLearnError, messageOf, nearest, valueAt } from '../common/index.js';

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

/** Longest text that is read, in characters: descriptions have a few thousand, and a parser takes its time. */
const maxCharacters = 100_000;

function refusalAt(source: string, line: number, what: string, found: string, expected: string): IqLearnError {
  return new IqLearnError('INVALID_CONFIG', `${source}:${line} ${what}`, { found, expected });
}

/** What a document is, for its errors. */
export interface DocumentKind {
  /** Such as 'description of a robot'. */
  readonly what: string;
  /** Its fields. */
  readonly fields: string;
}

const description: DocumentKind = { what: 'description of a robot', fields: 'robot, rate_hz, state, …' };

/** Refuses what cannot be such a document before a parser sees it. */
function checkText(text: string, source: string, { what, fields }: DocumentKind): void {
  const refuse = (found: string, expected: string): never => {
    throw new IqLearnError('INVALID_CONFIG', `${source} is no ${what}`, { found, expected });
  };
  if (text.length > maxCharacters) refuse(`${text.length} characters`, `at most ${maxCharacters}`);
  if (text.trim() === '') refuse('an empty file', `fields: ${fields}`);
  if (text.includes('\0') || text.includes('\ufffd')) refuse('bytes that are no UTF-8 text', 'YAML in UTF-8');
  let depth = 0;
  for (const character of text) {
    if ('[{'.includes(character)) depth++;
    else if (']}'.includes(character)) depth--;
    if (depth > 64) refuse('more than 64 brackets within each other', 'at most 64');
  }
}

/** Keys are compared by {@link SpecDocument}, in linear time. */
function parsed(text: string, source: string, lineCounter: LineCounter): ReturnType<typeof parseDocument> {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  } catch (cause) {
    const found = cause instanceof RangeError ? 'a document that is nested too deeply' : messageOf(cause);
    throw new IqLearnError('INVALID_CONFIG', `${source} is not valid YAML`, {
      found,
      expected: 'a YAML document',
      cause,
    });
  }
}

/** A YAML document whose errors name file, line and path in it. */
export class SpecDocument {
  readonly source: string;
  readonly value: unknown;
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #lines = new LineCounter();

  /** Throws INVALID_CONFIG for text that is not YAML (duplicate keys included). */
  constructor(text: string, source: string, kind: DocumentKind = description) {
    this.source = source;
    checkText(text, source, kind);
    this.#document = parsed(text, source, this.#lines);
    const [error] = [...this.#document.errors, ...this.#document.warnings];
    if (error !== undefined)
      throw new IqLearnError(
        'INVALID_CONFIG',
        `${source}:${this.#lines.linePos(error.pos[0]).line} is not valid YAML`,
        {
          found: error.code === 'MULTIPLE_DOCS' ? 'a second document, after a line of ---' : error.message,
          expected: 'one YAML document',
        },
      );
    const version = this.#document.directives?.yaml;
    if (version?.explicit === true && version.version !== '1.2')
      throw refusalAt(source, 1, 'is YAML of another version', `%YAML ${version.version}`, 'YAML 1.2');
    const lineOf = (node: Pick<Node, 'range'>): number => this.#lines.linePos(node.range?.[0] ?? 0).line;
    visit(this.#document, {
      Alias: (_, alias) => {
        throw refusalAt(source, lineOf(alias), 'uses a YAML alias', `*${alias.source}`, 'every value written out');
      },
      Node: (_, node) => {
        const { tag } = node as { tag?: string };
        if (tag !== undefined && !tag.startsWith('tag:yaml.org,2002:'))
          throw refusalAt(source, lineOf(node), 'uses a tag', tag, 'plain values');
      },
      Map: (_, map) => {
        const seen = new Set<string>();
        for (const { key } of map.items) {
          const name = isScalar(key) ? key.value : undefined;
          const line = lineOf((key ?? map) as Node);
          if (typeof name !== 'string')
            throw refusalAt(
              source,
              line,
              'has a key that is no text',
              name === undefined ? 'a map or list as a key' : String(name),
              'text',
            );
          if (name === '__proto__') throw refusalAt(source, line, 'has a key of JavaScript', name, 'another name');
          if (seen.has(name))
            throw refusalAt(source, line, 'is not valid YAML', `'${name}' a second time`, 'keys that differ (unique)');
          seen.add(name);
        }
      },
    });
    if (!isMap(this.#document.contents))
      throw refusalAt(source, 1, `is no ${kind.what}`, shown(this.#document.toJS()), `fields: ${kind.fields}`);
    this.value = this.#document.toJS();
  }

  /** The error for the value at `path`, naming file and line. */
  refusal(path: Path, refusal: Refusal): IqLearnError {
    return new IqLearnError('INVALID_CONFIG', `${this.source}:${this.lineOf(path)} ${pathText(path)}`, refusal);
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
    if (issue.code === 'invalid_key') {
      const key = String(at.at(-1));
      const [wrong] = issue.issues;
      throw this.refusal(at, { found: `'${key}'${and}`, expected: wrong?.message ?? issue.message });
    }
    const found = this.#document.getIn(at);
    throw this.refusal(at, {
      found: shown(isScalar(found) ? found.value : valueAt(value, issue.path)) + and,
      expected: issue.message,
    });
  }

  /** The line of the value at `path`, or of the innermost part around it that exists. */
  lineOf(path: Path): number {
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
