import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../../dist/bench/run.js', import.meta.url));
const bench = (...args: string[]) => spawnSync(process.execPath, [RUN, 'paper', ...args], { encoding: 'utf8' });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paper-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes what a run of the table would have written. */
function found(table: string, job: string, result: object): void {
  const path = join(folder, 'runs', table, job);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'result.json'), JSON.stringify({ job, curve: [], seconds: 60, settings: {}, ...result }));
}

const write = (table: string): string => {
  const { status, stderr } = bench(
    '--table',
    table,
    '--write',
    '--runs',
    join(folder, 'runs'),
    '--results',
    join(folder, 'results'),
  );
  expect(status, stderr).toBe(0);
  return readFileSync(join(folder, 'results', `${table}.md`), 'utf8');
};

describe('a table of the paper', () => {
  it('says of every row what was published, what the chosen policies did, and which rows are missing', () => {
    const chosen = { steps: 45_000, distance: 0.05, rankCorrelation: 0.9 };
    const run = {
      ...{ demonstrations: 3200, demonstrator: 3200, last: [3100, 3300], terminated: { last: 0, best: 1 } },
      chosen,
    };
    found('online', 'hopper/iq-sac/seed-0', { ...run, best: [3200, 1600] });
    found('online', 'hopper/iq-sac/seed-3', {
      ...{ ...run, best: [3200, 3200], terminated: { last: 0, best: 0 } },
      chosen: { ...chosen, steps: 55_000, meanOf: [35_000, 55_000] },
    });
    const text = write('online');
    const row = text.split('\n').find((line) => line.startsWith('| hopper/iq-sac |'))!;
    expect(row.split('|').map((cell) => cell.trim())).toEqual([
      '',
      'hopper/iq-sac',
      '1',
      'IQ-Learn 3546.4 of 3532.7',
      '3200',
      '0, 3',
      '2800 ± 400, 0.88',
      '1600',
      '0.75, 1, 45k; 1.00, 0, 35k + 55k',
      '3200 ± 0.0',
      '1.0',
      '',
    ]);
    expect(text).toMatch(/Not run yet: hopper-trpo\/iq-sac, halfcheetah\/iq-sac, .*halfcheetah\/dac\./);
  });

  it('has a job for every seed of every row, whose names a cluster can be given', () => {
    const script = join(folder, 'array.sh');
    expect(bench('--table', 'divergences', '--seeds', '0,1', '--slurm', script).status).toBe(0);
    const text = readFileSync(script, 'utf8');
    expect(text).toContain('cartpole/jensen-shannon/seed-1');
    // A run of the hopper takes a quarter of an hour: one seed of it is enough.
    expect(text).toContain('hopper/jensen-shannon/seed-0');
    expect(text).not.toContain('hopper/jensen-shannon/seed-1');
  });

  it('refuses a table that there is not, with the names of those that there are', () => {
    const { status, stderr } = bench('--table', 'onlin');
    expect(status).not.toBe(0);
    expect(stderr).toContain('online');
  });
});
