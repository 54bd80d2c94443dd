import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readJson } from '#src/platform/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-reading-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a file of JSON that is none, or is not there, is one clear error with what to do', () => {
  const file = join(folder, 'plan.json');
  writeFileSync(file, '{"steps": 3}');
  expect(readJson(file)).toEqual({ steps: 3 });
  writeFileSync(file, '{"steps": ');
  expect(() => readJson(file, { remedy: 'begin again' })).toThrow(
    expect.objectContaining({
      code: 'CORRUPT_DATA',
      what: `${file} is damaged`,
      expected: 'JSON',
      remedy: 'begin again',
    }),
  );
  rmSync(file);
  expect(() => readJson(file, { what: 'cannot be read' })).toThrow(/plan\.json cannot be read.*no such file/);
});
