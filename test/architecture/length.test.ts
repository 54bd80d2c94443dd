import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../src/', import.meta.url));
const LIMIT = 300;

/** The first comment of a source: all lines of `//` up to the next other line, or one block. */
const firstComment = (text: string): string => /(?:^[ \t]*\/\/.*\n?)+|\/\*[\s\S]*?\*\//m.exec(text)?.[0] ?? '';

const isTooLong = (text: string): boolean =>
  text.trimEnd().split('\n').length > LIMIT &&
  !/\b(?:longer than 300 lines|is long because)\b/i.test(firstComment(text));

describe('the length of files', () => {
  it(`is at most ${LIMIT} lines in src, unless a file's first comment gives the reason`, () => {
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(200);
    const long = files.filter((name) => isTooLong(readFileSync(join(src, name), 'utf8')));
    expect(long).toEqual([]);
  });

  it('is excused by a reason in the first comment only', () => {
    const lines = 'x();\n'.repeat(LIMIT);
    expect(isTooLong(lines)).toBe(false);
    expect(isTooLong(`${lines}x();\n`)).toBe(true);
    expect(isTooLong(`// Longer than 300 lines: its parts share a state.\n${lines}`)).toBe(false);
    expect(isTooLong(`// A queue.\nx();\n// Longer than 300 lines.\n${lines}`)).toBe(true);
  });
});
