import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const src = join(root, 'src');
const LIMIT = 300;
const FUNCTION_LIMIT = 60;

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

/** What the linter, with this project's rules, says of the length of functions in a file of `src`. */
function lint(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lint-'));
  try {
    const { vcs: _, $schema: __, ...rules } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    writeFileSync(join(folder, 'biome.json'), JSON.stringify(rules));
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/a.ts'), text);
    const { stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', 'src'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toContain('Checked 1 file');
    return /too many lines \(\d+\)/.exec(stderr)?.[0] ?? '';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the length of functions', () => {
  it(`is at most ${FUNCTION_LIMIT} lines in src, between its braces: npm run lint refuses longer ones`, () => {
    const functionOf = (lines: number): string => `export function f() {\n${'  x();\n'.repeat(lines)}}\n`;
    expect(lint(functionOf(FUNCTION_LIMIT))).toBe('');
    expect(lint(functionOf(FUNCTION_LIMIT + 1))).toMatch(/^too many lines/);
  });
});
