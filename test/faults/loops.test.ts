import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decoders } from '../../dist/bench/faults/decoders.js';
import { flipBundle, flipCheckpoint, flipRecording } from '../../dist/bench/faults/flips.js';
import { killRecordings, wholeLines } from '../../dist/bench/faults/kills.js';
import { Random } from '../../dist/src/common/index.js';
import { toyText } from '../demonstrations/toy.js';

// The loops of `npm run bench -- faults` at a small size; kills of trainings are in test/nodes/resume.test.ts.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-loops-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inputs = { mcap: 200, cdr: 20_000, protobuf: 20_000, yaml: 300, bundle: 200, checkpoint: 200 } as const;

describe('changed and random inputs', () => {
  it.each(Object.entries(inputs))(
    'of %s (%i): accepted, or refused with an error of ours, in a bounded time',
    async (name, count) => {
      const { wrong, accepted, refused, slowestMs } = await decoders[name as keyof typeof inputs](folder, count, 7);
      expect(wrong).toEqual([]);
      expect(accepted + refused).toBe(count);
      expect(refused).toBeGreaterThan(count / 20);
      expect(slowestMs).toBeLessThan(5000);
    },
  );
});

describe('one byte flipped, anywhere', () => {
  it('in a recording: refused, or what is whole is read and the rest is said', async () => {
    // A prime stride from another byte than the bench's: places within records of every kind.
    const { tried, refused, told, silent, wrong } = await flipRecording(join(folder, 'flips'), 23, 5);
    expect({ silent, wrong }).toEqual({ silent: [], wrong: [] });
    expect(refused + told).toBe(tried);
    expect(told).toBeGreaterThan(tried / 2);
  });

  it('in a policy: refused', async () => {
    const { tried, refused, silent, wrong } = await flipBundle(3);
    expect({ silent, wrong, refused }).toEqual({ silent: [], wrong: [], refused: tried });
  });

  it('in a checkpoint: the generation before is taken, and it is said', () => {
    const { tried, told, silent, wrong } = flipCheckpoint(join(folder, 'generations'));
    expect({ silent, wrong, told }).toEqual({ silent: [], wrong: [], told: tried });
  });
});

describe('SIGKILL at a random moment', () => {
  it('of a recording costs no episode that was closed', async () => {
    const { kills, closed, wrong } = await killRecordings(folder, 3, Random.derive(3, 'loops'), toyText);
    expect(wrong).toEqual([]);
    expect(kills).toBe(3);
    expect(closed).toBeGreaterThanOrEqual(3);
  });
});

describe('the output of a process that is killed', () => {
  it('counts by whole lines: half an outcome is none', () => {
    const outcome = '{"outcome":{"version":3}}';
    expect(wholeLines(`{"version":2}\n${outcome}\n`)).toContain(outcome);
    for (let cut = 0; cut <= outcome.length; cut++)
      expect(wholeLines(`{"version":2}\n${outcome.slice(0, cut)}`)).toEqual(['{"version":2}']);
    expect(wholeLines('')).toEqual([]);
  });
});
