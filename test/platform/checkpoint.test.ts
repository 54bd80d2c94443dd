import { spawn } from 'node:child_process';
import fs, { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IqLearnError, Random } from '#src/common/index.js';
import { type Checkpoint, generations, loadCheckpoint, saveCheckpoint, sha256 } from '#src/platform/index.js';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'iq-checkpoint-'));
  folder = join(root, 'checkpoint');
});
afterEach(() => rmSync(root, { recursive: true }));

const content = (n: number): Checkpoint => ({
  meta: { n, text: `generation ${n}` },
  arrays: { weights: Float32Array.of(n, n / 3), counts: Int32Array.of(n) },
});
const without = ({ meta, arrays }: Checkpoint): Checkpoint => ({ meta, arrays });
const GOOD = (n: number): string => `generation-${String(n).padStart(8, '0')}`;

const STEPS = ['mkdirSync', 'openSync', 'writeSync', 'fsyncSync', 'closeSync', 'renameSync', 'rmSync'] as const;

/**
 * Runs `work` with the n-th call that touches the disk failing as a full disk does; with `crash` all calls after it
 * fail as well, as nothing is done any more after kill -9. Returns the number of calls.
 */
function withFault(n: number, crash: boolean, work: () => void): number {
  const originals = STEPS.map((name) => fs[name]);
  let calls = 0;
  for (const [i, name] of STEPS.entries()) {
    const original = originals[i] as (...args: unknown[]) => unknown;
    (fs as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => {
      calls++;
      if (calls === n || (crash && calls > n))
        throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
      return original(...args);
    };
  }
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    for (const [i, name] of STEPS.entries()) (fs as unknown as Record<string, unknown>)[name] = originals[i];
    syncBuiltinESMExports();
  }
  return calls;
}

describe('a checkpoint', () => {
  it('comes back as it was: every kind of array, NaN, -0, infinities, nothing at all', () => {
    const pool = new Float32Array(10).fill(9);
    const checkpoint: Checkpoint = {
      meta: { numbers: [0.1, 1e-320, 2 ** 53], nested: { text: 'é\n', none: null, yes: true } },
      arrays: {
        float: Float32Array.of(Number.NaN, -0, 0, Number.NEGATIVE_INFINITY, 1e-45),
        double: Float64Array.of(Number.NaN, -0, 5e-324, Math.PI),
        int: Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
        byte: Uint8Array.of(0, 255),
        empty: new Float32Array(),
        nothing: new Uint8Array(),
        view: pool.subarray(3, 5),
        'a name/with ../ anything': Int32Array.of(1),
      },
    };
    expect(saveCheckpoint(folder, checkpoint)).toBe(1);
    const loaded = loadCheckpoint(folder);
    expect(loaded).toStrictEqual({
      ...checkpoint,
      arrays: { ...checkpoint.arrays, view: Float32Array.of(9, 9) },
      generation: 1,
    });
    expect(Object.is(loaded.arrays.float![1], -0)).toBe(true);
    expect(Object.is(loaded.arrays.double![1], -0)).toBe(true);
    expect(loaded.arrays.view!.buffer.byteLength).toBe(8);
  });

  it('has few files, however many arrays there are, and comes back where they fill several', () => {
    const arrays = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`array ${i}`, Int32Array.of(i, -i)]));
    const large = new Uint8Array(40 * 1024 * 1024).map((_, i) => i >> 10);
    const checkpoint = { meta: {}, arrays: { ...arrays, large, after: Float64Array.of(Math.E) } };
    saveCheckpoint(folder, checkpoint);
    expect(readdirSync(join(folder, GOOD(1))).sort()).toEqual(['0.bin', '1.bin', 'manifest.json']);
    const loaded = loadCheckpoint(folder);
    expect(Buffer.compare(loaded.arrays.large as Uint8Array, large)).toBe(0);
    expect(loaded.arrays.after).toEqual(Float64Array.of(Math.E));
    expect(Object.keys(loaded.arrays)).toEqual(Object.keys(checkpoint.arrays));
    for (const i of [0, 1, 4999]) expect(loaded.arrays[`array ${i}`]).toEqual(Int32Array.of(i, -i));
  });

  it('of the earlier format, with a file for each array, still loads', () => {
    saveCheckpoint(folder, content(1));
    const path = join(folder, GOOD(1));
    const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
    const bytes = readFileSync(join(path, '0.bin'));
    const entries = manifest.arrays as { name: string; file: string; offset?: number; length: number }[];
    const earlier = entries.map(({ offset, ...entry }, i) => {
      writeFileSync(join(path, `${i}.bin`), bytes.subarray(offset!, offset! + 4 * entry.length));
      return { ...entry, file: `${i}.bin` };
    });
    const sum = sha256(JSON.stringify([manifest.meta, earlier]));
    const old = { ...manifest, format: 'iq_learn checkpoint 1', arrays: earlier, sha256: sum };
    writeFileSync(join(path, 'manifest.json'), `${JSON.stringify(old, null, 1)}\n`);
    expect(loadCheckpoint(folder)).toEqual({ ...content(1), generation: 1 });
    writeFileSync(join(path, '1.bin'), '12345');
    expect(() => loadCheckpoint(folder)).toThrow(expect.objectContaining({ code: 'CORRUPT_DATA' }));
  });

  it.each([
    ['says the other format', 'iq_learn checkpoint 2', 'iq_learn checkpoint 1'],
    ['says more than is written', ' "arrays": [', ' "arta": {\n  "n": 2\n },\n "arrays": ['],
  ])('whose manifest %s is passed over: no hash would tell that it was changed', (_, from, to) => {
    saveCheckpoint(folder, content(1));
    saveCheckpoint(folder, content(2));
    const path = join(folder, GOOD(2), 'manifest.json');
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to));
    const told: string[] = [];
    expect(without(loadCheckpoint(folder, ({ found }) => told.push(String(found))))).toEqual(content(1));
    expect(told).toEqual(['manifest.json was altered']);
  });

  it('keeps the newest generations only, and numbers go on', () => {
    for (let n = 1; n <= 4; n++) expect(saveCheckpoint(folder, content(n))).toBe(n);
    expect(readdirSync(folder).sort()).toEqual([GOOD(3), GOOD(4)]);
    saveCheckpoint(folder, content(5), 4);
    saveCheckpoint(folder, content(6), 4);
    expect(generations(folder)).toEqual([6, 5, 4, 3]);
    saveCheckpoint(folder, content(7), 1);
    expect(generations(folder)).toEqual([7]);
    expect(without(loadCheckpoint(folder))).toEqual(content(7));
  });

  it('that fails at any step tells IO, leaves nothing half-written and the one before whole', () => {
    saveCheckpoint(folder, content(1));
    saveCheckpoint(folder, content(2));
    const steps = withFault(0, false, () => saveCheckpoint(join(root, 'count'), content(3), 1));
    expect(steps).toBeGreaterThan(15);
    let failures = 0;
    for (let n = 1; n <= steps + 2; n++) {
      const copy = join(root, `copy ${n}`);
      cpSync(folder, copy, { recursive: true });
      let error: unknown;
      withFault(n, false, () => {
        try {
          saveCheckpoint(copy, content(3));
        } catch (caught) {
          error = caught;
        }
      });
      if (error !== undefined) {
        expect(error).toMatchObject({
          code: 'IO',
          message: expect.stringMatching(/ENOSPC.*earlier checkpoint is untouched/),
        });
        failures++;
      }
      expect(
        readdirSync(copy).filter((name) => name.endsWith('.part')),
        `step ${n}`,
      ).toEqual([]);
      const damaged: IqLearnError[] = [];
      expect([content(2), content(3)]).toContainEqual(
        without(loadCheckpoint(copy, (problem) => damaged.push(problem))),
      );
      expect(damaged).toEqual([]);
    }
    expect(failures).toBeGreaterThanOrEqual(steps);
  });

  it('that is cut off by a crash between any two steps leaves the one before or itself, and the next save cleans up', () => {
    saveCheckpoint(folder, content(1));
    saveCheckpoint(folder, content(2));
    const left = new Set<number>();
    let parts = 0;
    for (let n = 1; n <= 30; n++) {
      const copy = join(root, `copy ${n}`);
      cpSync(folder, copy, { recursive: true });
      withFault(n, true, () => {
        try {
          saveCheckpoint(copy, content(3));
        } catch {}
      });
      parts += readdirSync(copy).filter((name) => name.endsWith('.part')).length;
      const damaged: IqLearnError[] = [];
      const loaded = loadCheckpoint(copy, (problem) => damaged.push(problem));
      expect(damaged).toEqual([]);
      expect(without(loaded)).toEqual(content(loaded.generation));
      left.add(loaded.generation);
      const next = saveCheckpoint(copy, content(9));
      expect(readdirSync(copy).sort()).toEqual([GOOD(loaded.generation), GOOD(next)]);
      expect(without(loadCheckpoint(copy))).toEqual(content(9));
    }
    expect([...left].sort()).toEqual([2, 3]);
    expect(parts).toBeGreaterThan(10);
  });

  it('fault F26: survives kill -9 of the process that writes, again and again', async () => {
    const random = new Random(3);
    let newest = 0;
    for (let i = 0; i < 3; i++) {
      const module = new URL('../../dist/src/platform/checkpoint-store.js', import.meta.url).href;
      const source = `
        import { loadCheckpoint, saveCheckpoint } from ${JSON.stringify(module)};
        const folder = ${JSON.stringify(folder)};
        for (let n = ${newest}; ; n++) {
          const generation = saveCheckpoint(folder, { meta: { n }, arrays: { a: new Float32Array(50_000).fill(n), b: Int32Array.of(n) } });
          process.stdout.write(generation + '\\n');
        }`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, random.integer(40)));
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      const damaged: IqLearnError[] = [];
      const { meta, arrays, generation } = loadCheckpoint(folder, (problem) => damaged.push(problem));
      expect(damaged).toEqual([]);
      expect(generation).toBeGreaterThan(newest);
      newest = generation;
      expect(arrays).toEqual({
        a: new Float32Array(50_000).fill(meta.n as number),
        b: Int32Array.of(meta.n as number),
      });
    }
    saveCheckpoint(folder, content(1));
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('removes what a killed process left, not what a living one is writing', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('exit', resolve));
    const dead = `${GOOD(1)}.${child.pid}.part`;
    const living = `${GOOD(1)}.${process.ppid}.part`;
    for (const name of [dead, living, `${GOOD(7)}.${process.pid}.part`])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, dead, '0.bin'), 'half');
    writeFileSync(join(folder, 'notes.part'), 'not ours');
    saveCheckpoint(folder, content(1));
    expect(readdirSync(folder).sort()).toEqual([GOOD(1), living, 'notes.part']);
  });

  it('that cannot be written because a file is in the way tells IO and touches nothing', () => {
    writeFileSync(folder, 'a file');
    expect(() => saveCheckpoint(folder, content(1))).toThrow(expect.objectContaining({ code: 'IO' }));
    expect(() => saveCheckpoint(join(folder, 'below'), content(1))).toThrow(expect.objectContaining({ code: 'IO' }));
    expect(readFileSync(folder, 'utf8')).toBe('a file');
    expect(() => loadCheckpoint(folder)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});

describe('loading', () => {
  const flip = (data: Buffer, at: number): Buffer => {
    const copy = Buffer.from(data);
    copy[at]! ^= 1;
    return copy;
  };
  const replace = (path: string, make: () => void): void => {
    rmSync(path, { recursive: true });
    make();
  };
  const damages: [string, (path: string) => void][] = [
    ...['0.bin', 'manifest.json'].flatMap((file): [string, (path: string) => void][] => [
      [`${file} altered`, (path) => writeFileSync(join(path, file), flip(readFileSync(join(path, file)), 2))],
      [`${file} cut`, (path) => writeFileSync(join(path, file), readFileSync(join(path, file)).subarray(0, -2))],
      [
        `${file} longer`,
        (path) => writeFileSync(join(path, file), `${readFileSync(join(path, file), 'latin1')}xx`, 'latin1'),
      ],
      [`${file} empty`, (path) => writeFileSync(join(path, file), '')],
      [`${file} removed`, (path) => rmSync(join(path, file))],
      [`${file} a folder`, (path) => replace(join(path, file), () => mkdirSync(join(path, file)))],
    ]),
    ...[
      'null',
      '[]',
      '{}',
      '"x"',
      '{"format":"iq_learn checkpoint 1"}',
      '{"format":"iq_learn checkpoint 2"}',
      '{"format":"iq_learn checkpoint 3"}',
      '\0',
    ].map((text): [string, (path: string) => void] => [
      `manifest ${text}`,
      (path) => writeFileSync(join(path, 'manifest.json'), text),
    ]),
    ...(
      [
        ['"n": 2', '"n": 3'],
        ['"weights"', '"weight5"'],
        ['"Float32Array"', '"Int32Array"'],
        ['"length": 2', '"length": 1'],
        ['"0.bin"', '"../0.bin"'],
        ['"offset": 8', '"offset": 4'],
      ] as const
    ).map(([from, to]): [string, (path: string) => void] => [
      `manifest with ${to}`,
      (path) => {
        const text = readFileSync(join(path, 'manifest.json'), 'utf8');
        expect(text).toContain(from);
        writeFileSync(join(path, 'manifest.json'), text.replace(from, to));
      },
    ]),
    ['everything removed', (path) => replace(path, () => mkdirSync(path))],
    ['a file in its place', (path) => replace(path, () => writeFileSync(path, ''))],
  ];

  it.each(damages)('passes over a newest generation with %s, and says so', (_, damage) => {
    saveCheckpoint(folder, content(1));
    saveCheckpoint(folder, content(2));
    damage(join(folder, GOOD(2)));
    const told: IqLearnError[] = [];
    const loaded = loadCheckpoint(folder, (problem) => told.push(problem));
    expect(loaded).toEqual({ ...content(1), generation: 1 });
    expect(told).toMatchObject([{ code: 'CORRUPT_DATA', message: expect.stringContaining(GOOD(2)) }]);
    // What is written next is not mistaken for the damaged one.
    expect(saveCheckpoint(folder, content(3))).toBe(3);
    expect(loadCheckpoint(folder)).toEqual({ ...content(3), generation: 3 });
  });

  it('tells CORRUPT_DATA where all are damaged, NOT_FOUND where there is none', () => {
    saveCheckpoint(folder, content(1));
    saveCheckpoint(folder, content(2));
    for (const n of [1, 2]) rmSync(join(folder, GOOD(n), '0.bin'));
    const told: IqLearnError[] = [];
    expect(() => loadCheckpoint(folder, (problem) => told.push(problem))).toThrow(
      expect.objectContaining({ code: 'CORRUPT_DATA', message: expect.stringContaining('2 damaged generations') }),
    );
    expect(told.length).toBe(2);
    for (const n of [1, 2]) rmSync(join(folder, GOOD(n)), { recursive: true });
    expect(() => loadCheckpoint(folder)).toThrow(/a folder without generations/);
    expect(() => loadCheckpoint(join(root, 'nowhere'))).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', message: expect.stringContaining('no such folder') }),
    );
  });
});
