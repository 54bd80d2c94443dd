import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import type { Episode } from '#src/learning/index.js';
import type { PolicyBundle } from '#src/policy/index.js';
import { CandidateChoice, type CandidateScore, OccupancyDistance } from '#src/training/index.js';
import { convergedAt } from '#src/training/progress/convergence.js';

/** Scores of candidates 1, 2, … whose worst episode is as far as all of them. */
const scoresOf = (distances: readonly number[]): CandidateScore[] =>
  distances.map((distance, i) => ({ version: i + 1, distance, worst: distance, episodes: 5, return: 0 }));

/** An episode on a rail, beside that of the demonstration by the offset. */
const episode = (offset: number): Episode => ({
  length: 50,
  observations: Float32Array.from({ length: 51 }, (_, i) => offset + Math.sin(i / 5)),
  actions: new Float32Array(50),
  terminated: false,
});

/** A policy, which its manifest names. */
const bundle = (version: number): PolicyBundle => ({ manifest: String(version), model: new Uint8Array() });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-convergence-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a run has converged', () => {
  it('at the fifth candidate in a row that is no better than one near to the demonstrations', () => {
    expect(convergedAt(scoresOf([1, 0.5, 0.08, 0.2, 0.09, 0.3, 0.08, 0.5]))).toBe(8);
  });

  it('not while candidates get better, and not for a gain within the noise', () => {
    const gaining = [1, 0.09, 0.09, 0.09, 0.09, 0.08, 0.09, 0.09, 0.09, 0.07];
    expect(convergedAt(scoresOf(gaining))).toBeUndefined();
    expect(convergedAt(scoresOf([0.09, 0.09, 0.088, 0.09, 0.09, 0.087]))).toBe(6);
  });

  it('never far from the demonstrations', () => {
    expect(convergedAt(scoresOf([1, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]))).toBeUndefined();
  });

  it('by its worst episodes, too', () => {
    const scores = scoresOf([0.08, 0.08, 0.08, 0.08, 0.08, 0.08]);
    expect(convergedAt(scores)).toBe(6);
    // The last one has a worst episode that is much better than those before.
    expect(convergedAt(scores.map((score, i) => (i === 5 ? score : { ...score, worst: 0.6 })))).toBeUndefined();
  });

  it('at the same candidate, whatever comes after it', () => {
    const until = scoresOf([1, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08]);
    expect(convergedAt(until)).toBe(7);
    expect(convergedAt(scoresOf([...until.map(({ distance }) => distance), 0.01, 0.01]))).toBe(7);
  });

  it('on the way of a hopper that was recorded', () => {
    const ranks = [
      2.56, 2.35, 2.11, 1.8, 1.89, 1.91, 1.96, 1.93, 1.95, 1.65, 1.65, 1.23, 0.97, 0.87, 0.24, 0.19, 0.175, 0.136, 0.31,
      0.5, 0.96, 0.65, 0.185, 0.68, 0.75,
    ];
    expect(convergedAt(scoresOf(ranks.map((rank) => rank / 2)))).toBe(23);
  });
});

describe('the choice of a run that ends once it has converged', () => {
  /** Policies that drive beside the demonstration by the offset of their version. */
  const choiceOf = (offsets: readonly number[], stopWhenConverged?: boolean): CandidateChoice =>
    new CandidateChoice({
      seed: 1,
      task: { name: 'rail' },
      folder,
      ...(stopWhenConverged === undefined ? {} : { stopWhenConverged }),
      distance: new OccupancyDistance([episode(0)], vectorObservation(1), 1),
      drive: async ({ manifest }, seeds) =>
        seeds.map(() => ({ episode: episode(offsets[Number(manifest) - 1]!), return: 1 })),
    });
  /** The eighth is the best, but the run has converged at the seventh; the ninth is the last policy. */
  const offsets = [2, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0, 0];

  it.each([
    [true, 7, 2],
    [false, undefined, 8],
    [undefined, undefined, 8],
  ])('asked for: %s', async (asked, converged, chosen) => {
    const choice = choiceOf(offsets, asked);
    for (let version = 1; version <= 8; version++)
      expect((await choice.add(version, bundle(version)))?.version).toBe(asked && version > 7 ? undefined : version);
    expect(choice.converged).toBe(converged);
    const { bundle: best, score } = await choice.choose({ version: 9, bundle: bundle(9) });
    expect([best.manifest, score.version]).toEqual([String(chosen), chosen]);
  });

  it('is the same for a run that was stopped at once and one that was told late', async () => {
    const early = choiceOf(offsets, true);
    for (let version = 1; version <= 7; version++) await early.add(version, bundle(version));
    const first = await early.choose({ version: 7, bundle: bundle(7) });
    const late = choiceOf(offsets, true);
    for (let version = 1; version <= 8; version++) await late.add(version, bundle(version));
    expect(late.scores).toEqual(early.scores);
    expect(await late.choose({ version: 9, bundle: bundle(9) })).toEqual(first);
  });
});

describe('the comparisons at the end', () => {
  it('give more starts to the fewer that are left, so that a policy which fails now and then is found out', async () => {
    const driven = new Map<string, number>();
    // Policy n is beside the demonstration by n tenths of 0.1; the first, the nearest, fails in its twentieth start.
    const choice = new CandidateChoice({
      seed: 1,
      task: { name: 'rail' },
      folder,
      distance: new OccupancyDistance([episode(0)], vectorObservation(1), 1),
      drive: async ({ manifest }, seeds) =>
        seeds.map(() => {
          const start = (driven.get(manifest) ?? 0) + 1;
          driven.set(manifest, start);
          return { episode: episode(manifest === '1' && start === 20 ? 3 : Number(manifest) / 100), return: 1 };
        }),
    });
    for (let version = 1; version <= 9; version++) await choice.add(version, bundle(version));
    const scores: CandidateScore[] = [];
    const { score } = await choice.choose(
      { version: 10, bundle: bundle(10) },
      { onScore: (each) => scores.push(each) },
    );
    expect(score).toMatchObject({ version: 2, episodes: 40 });
    expect(scores[0]).toEqual(score);
    expect(Object.fromEntries(scores.map(({ version, episodes }) => [version, episodes]))).toEqual({
      ...{ 2: 40, 3: 40, 1: 20 },
      ...{ 4: 10, 5: 10, 6: 10, 10: 10 },
    });
    // Five along the run, and those of the comparisons, each of which is new.
    expect([...driven.values()]).toEqual([25, 45, 45, 15, 15, 15, 5, 5, 5, 10]);
  });
});
