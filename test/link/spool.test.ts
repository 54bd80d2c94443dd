import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RecordClass, Spool } from '#src/link/index.js';

const child = fileURLToPath(new URL('./spool-child.mjs', import.meta.url));
const MB = 1024 * 1024;

let folder: string;
const open = (maxBytes = 64 * MB, warnings: string[] = []): Spool =>
  new Spool({ folder, maxBytes, nowNs: () => 7n, warn: (message) => warnings.push(message) });
const all = (spool: Spool): { sequence: bigint; class: RecordClass }[] => {
  const found: { sequence: bigint; class: RecordClass }[] = [];
  let previous = 0n;
  for (;;) {
    const read = spool.read(found.at(-1)?.sequence ?? 0n, 100_000);
    if (read.records.length === 0) return found;
    expect(read.previous).toBe(previous);
    found.push(...read.records);
    previous = read.records.at(-1)!.sequence;
  }
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a spool', () => {
  test('gives what was written, in order, after any number of restarts, with an epoch that stays', () => {
    let written = 0;
    let epoch: bigint | undefined;
    for (let run = 0; run < 4; run++) {
      const spool = open();
      epoch ??= spool.epoch;
      expect(spool.epoch).toBe(epoch);
      for (let i = 0; i < 100; i++) spool.append('state', '/transitions', Uint8Array.of(written++));
      const records = all(spool);
      expect(records).toHaveLength(written);
      expect(records.map(({ sequence }) => sequence)).toEqual(
        records.map(({ sequence }) => sequence).toSorted((a, b) => Number(a - b)),
      );
      spool.close();
    }
    const spool = open();
    const { records } = spool.read(0n, 1e9);
    expect(records[5]).toEqual({ sequence: 6n, class: 'state', topic: '/transitions', payload: Uint8Array.of(5) });
    spool.close();
  });

  test('forgets what is confirmed, and goes on counting after it', () => {
    const spool = open(MB);
    for (let i = 0; i < 2000; i++) spool.append('state', '/t', new Uint8Array(200));
    spool.confirm(2000n);
    expect(spool.figures).toMatchObject({ waiting: 0, bytes: 0 });
    const left = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(left).toBeLessThan(MB / 8);
    spool.close();
    const again = open(MB);
    again.append('state', '/t', new Uint8Array(1));
    expect(again.last).toBeGreaterThan(2000n);
    again.close();
  });

  test('that is full drops the oldest transitions first and demonstrations last, and counts them', () => {
    const spool = open(MB);
    for (let i = 0; i < 20_000; i++) spool.append(i % 20 === 0 ? 'demonstration' : 'state', '/t', new Uint8Array(200));
    let records = all(spool);
    const of = (kind: RecordClass): number => records.filter((record) => record.class === kind).length;
    expect(of('demonstration')).toBe(1000);
    expect(spool.figures.dropped).toEqual({ state: 19_000 - of('state'), demonstration: 0 });
    expect(spool.figures.bytes).toBeLessThanOrEqual(MB);
    // The newest transitions are those that are left.
    const states = records.filter((record) => record.class === 'state').map(({ sequence }) => sequence);
    expect(states.at(-1)).toBe(20_000n);
    for (let i = 0; i < 10_000; i++) spool.append('demonstration', '/t', new Uint8Array(200));
    records = all(spool);
    expect(of('state')).toBe(0);
    expect(spool.figures.dropped).toEqual({ state: 19_000, demonstration: 11_000 - of('demonstration') });
    expect(of('demonstration')).toBeGreaterThan(3000);
    spool.close();
    const again = open(MB);
    expect(again.figures.dropped).toEqual({ state: 19_000, demonstration: 11_000 - records.length });
    again.close();
  });

  test('cuts off what a crash left half-written, whatever it is', () => {
    const spool = open();
    for (let i = 0; i < 10; i++) spool.append('state', '/t', new Uint8Array(50));
    spool.close();
    const files = readdirSync(folder).filter((name) => name.endsWith('.spool'));
    const bytes = Buffer.alloc(100, 1);
    for (const file of files) appendFileSync(join(folder, file), bytes);
    const again = open();
    expect(all(again)).toHaveLength(10);
    again.append('state', '/t', new Uint8Array(50));
    expect(all(again)).toHaveLength(11);
    again.close();
  });

  test('belongs to one process', () => {
    const spool = open();
    expect(() => open()).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
    spool.close();
    open().close();
  });

  test('says where its own file is damaged', () => {
    open().close();
    appendFileSync(join(folder, 'spool.json'), 'x');
    expect(() => open()).toThrow(/spool\.json is damaged.*a new spool begins/);
  });
});

describe('kill -9', () => {
  test.each([1, 2, 3, 4, 5])('at any moment loses nothing that was written, run %i', async (run) => {
    const process_ = spawn(process.execPath, [child, folder, String(MB)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    process_.stdout.on('data', (text) => (said += text));
    while (said.length < 2000 * run) await new Promise((resolve) => setTimeout(resolve, 3));
    process_.kill('SIGKILL');
    await new Promise((resolve) => process_.once('close', resolve));
    const last = BigInt(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1)!);
    const spool = open(MB);
    const records = all(spool);
    // The newest records are all there; the record after the one that was said last may be, too.
    expect(records.filter(({ sequence }) => sequence <= last).at(-1)!.sequence).toBe(last);
    // What is not there was dropped and counted, save for what the kill interrupted: one file being made shorter.
    const { state, demonstration } = spool.figures.dropped;
    expect(demonstration).toBe(0);
    expect(records.filter((record) => record.class === 'demonstration' && record.sequence <= last)).toHaveLength(
      Math.ceil(Number(last) / 10),
    );
    expect(Number(last) - records.filter(({ sequence }) => sequence <= last).length).toBeGreaterThanOrEqual(state);
    spool.close();
  });
});

describe('a full disk', () => {
  test('fault F17: a full disk costs the oldest records, which are counted; the process goes on, and what is there is whole', () => {
    // A limit on the size of files stands for the disk: a write beyond it fails in the middle.
    const { stdout, status } = spawnSync(
      'bash',
      ['-c', `ulimit -f 64; exec "${process.execPath}" "${child}" "${folder}" ${4 * MB} 3000`],
      { encoding: 'utf8' },
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/warning the spool cannot be written: .*; the oldest is dropped/);
    const figures = JSON.parse(/figures (.*)/.exec(stdout)![1]!) as Spool['figures'];
    const spool = open(4 * MB);
    expect(all(spool)).toHaveLength(figures.waiting);
    expect(figures.waiting + figures.dropped.state + figures.dropped.demonstration).toBe(3000);
    expect(figures.waiting).toBeGreaterThan(100);
    spool.close();
  });
});
