import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../../dist/bench/faults/index.js';
import { added } from '../../dist/bench/faults/shares.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-shares-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sizes = ['--inputs', '120', '--stride', '1000000', '--kills', '0', '--trainings', '0'];

it('adds the outcomes of shares: counts are summed, the longest time is kept, findings are put together', () => {
  const one = { inputs: 2, slowestMs: 3, wrong: ['a'] };
  expect(added(undefined, one)).toEqual(one);
  expect(added(one, { inputs: 5, slowestMs: 1, wrong: ['b'] })).toEqual({ inputs: 7, slowestMs: 3, wrong: ['a', 'b'] });
});

it('goes on where it was interrupted, tries nothing twice, and refuses to add what was tried with other options', async () => {
  const none = await run([...sizes, '--keep', folder, '--minutes', '0.000000001']);
  expect(none.figures).toEqual([]);
  const one = await run([...sizes, '--keep', folder, '--only', 'cdr']);
  expect(one.figures.map(({ name }) => name)).toEqual(['cdr: inputs', 'cdr: wrong', 'cdr: slowest input']);
  const whole = await run([...sizes, '--keep', folder]);
  expect(whole.figures).toEqual(expect.arrayContaining([...one.figures]));
  expect(whole.figures).toContainEqual(expect.objectContaining({ name: 'cdr: inputs', value: 120 }));
  expect(whole.figures).toContainEqual(expect.objectContaining({ name: 'recording: bytes flipped', value: 1 }));
  // The times are those of the first run: nothing was run again.
  expect((await run([...sizes, '--keep', folder])).figures).toEqual(whole.figures);
  await expect(run([...sizes, '--seed', '2', '--keep', folder])).rejects.toMatchObject({ code: 'MISMATCH' });
  await expect(run([...sizes, '--only', 'no attack'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
