import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** What `npm pack` puts into the package. */
const packed = new Set(
  (
    JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as { files: { path: string }[] }[]
  )[0]!.files.map(({ path }) => path),
);

/** A file of the package, or a folder in which it has files. */
const isThere = (path: string): boolean =>
  packed.has(path) || [...packed].some((file) => file.startsWith(`${path.replace(/\/$/, '')}/`));

/** Links to files, relative to the document. */
const linksOf = (document: string): string[] =>
  [...text(document).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, path]) =>
    posix.join(dirname(document), path!),
  );

const PATH = /(?:src|docs|config|bench|scripts|test|launch|worlds)\/[\w./-]*\w/g;

describe('the package', () => {
  it('has every file that the README links or names', () => {
    const named = [...text('README.md').matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) =>
      /^(?:src|docs|config|bench|scripts|test)\/[\w./-]+$/.test(code!) ? [code!] : [],
    );
    expect(named.length).toBeGreaterThan(10);
    expect([...linksOf('README.md'), ...named].filter((path) => !isThere(path))).toEqual([]);
  });

  it('has every file that the remedy of an error names', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const remedies = sources.flatMap((name) =>
      [...text(join('src', name)).matchAll(/\b(?:remedy|expected):\s*(['"`])([\s\S]*?)\1/g)].map(
        ([, , words]) => words!,
      ),
    );
    expect(remedies.length).toBeGreaterThan(100);
    const paths = remedies.flatMap((words) => words.match(PATH) ?? []);
    expect(paths.filter((path) => !isThere(path))).toEqual([]);
  });

  it('has every program that its package.json names, and nothing of the tests', () => {
    const { bin, exports, main, types } = JSON.parse(text('package.json')) as {
      bin: Record<string, string>;
      exports: Record<string, { types: string; default: string }>;
      main: string;
      types: string;
    };
    const entries = [
      main,
      types,
      ...Object.values(bin),
      ...Object.values(exports).flatMap((each) => Object.values(each)),
    ];
    expect(entries.map((path) => posix.normalize(path)).filter((path) => !packed.has(path))).toEqual([]);
    expect([...packed].filter((path) => /^(test|dist\/test|node_modules|runs)\//.test(path))).toEqual([]);
  });
});
