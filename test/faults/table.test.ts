import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('docs/faults.md is what the tests say, and no fault is without a test', () => {
  const made = execFileSync(process.execPath, ['scripts/faults-table.mjs', '--print'], { cwd: root, encoding: 'utf8' });
  expect(readFileSync(`${root}docs/faults.md`, 'utf8')).toBe(made);
  const rows = made.split('\n').filter((line) => /^\| F\d\d /.test(line));
  expect(rows).toHaveLength(35);
  for (const row of rows) expect(row).toMatch(/\]\(\.\.\/test\/\S+\.test\.ts\): /);
});
