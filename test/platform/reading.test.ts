import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openInput, readJson } from '#src/platform/index.js';

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

it.each([1000, 200_000])('a file of %i bytes is read piece by piece, from any place, and closed', async (size) => {
  const path = join(folder, 'input.bin');
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  writeFileSync(path, bytes);
  const file = openInput(path);
  expect(file.size).toBe(size);
  for (const at of [size - 300, 7, size - 100, size]) {
    const piece = new Uint8Array(200);
    const count = await file.read(piece, at);
    expect(piece.subarray(0, count)).toEqual(bytes.subarray(at, at + 200));
  }
  // The lowest free number is given to the file that is opened next.
  const next = openSync(path, 'r');
  closeSync(next);
  file.close();
  const after = openSync(path, 'r');
  closeSync(after);
  expect(after).toBeLessThan(next);
});

it('what cannot be opened is one clear error', () => {
  expect(() => openInput(join(folder, 'nothing.mcap'))).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', found: 'no such file' }),
  );
});
