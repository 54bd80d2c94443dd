import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import type { Episode } from '#src/learning/index.js';
import { decodeBundle, encodeBundle, type PolicyBundle } from '#src/policy/index.js';
import { CandidateChoice, OccupancyDistance } from '#src/training/index.js';
import { compareAtTheEnd, type Finalist } from '#src/training/progress/final-comparison.js';
import { contract, linearPolicy } from '../policy/policy.js';

/** A policy that its manifest names: those of the run, and the means of them as `1+2`. */
const named = (name: string): PolicyBundle => ({ manifest: name, model: new Uint8Array() });
const finalists = (count: number): Finalist[] =>
  Array.from({ length: count }, (_, i) => ({ version: i + 1, bundle: named(`${i + 1}`) }));
const episode = (offset = 0): Episode => ({
  length: 50,
  observations: Float32Array.from({ length: 51 }, (_, i) => offset + Math.sin(i / 5)),
  actions: new Float32Array(50),
  terminated: false,
});

/** Compares policies of which each is as far away in a start as `farOf` says, and counts their starts. */
async function compare(count: number, farOf: (name: string, start: number) => number, alike = false) {
  const starts: Record<string, number> = {};
  const progress: [number, number][] = [];
  const ranked = await compareAtTheEnd(finalists(count), {
    starts: 20,
    drive: async ({ manifest }, driven, episodes) => {
      starts[manifest] = driven + episodes;
      return Array.from({ length: episodes }, (_, i) => ({ episode: episode(), return: farOf(manifest, driven + i) }));
    },
    measure: (version, driven) => {
      const far = driven.map((each) => each.return);
      const distance = far.reduce((sum, each) => sum + each, 0) / far.length;
      return { version, distance, worst: Math.max(...far), episodes: far.length, return: 0 };
    },
    combine: async (policies) => (alike ? undefined : named(policies.map(({ version }) => version).join('+'))),
    onProgress: (done, total) => progress.push([done, total]),
  });
  return { ranked, starts, progress };
}

describe('the means of the best policies', () => {
  it('are compared with them, and chosen where they fail in fewer starts', async () => {
    // Each of the best three fails in a start of its own, a mean of two in none; the others are far away always.
    const farOf = (name: string, start: number): number => {
      if (name.length === 1) return Number(name) > 3 ? 2 : start === Number(name) ? 1 : 0.1;
      return name === '1+3' ? 0.1 : 0.2;
    };
    const { ranked, starts, progress } = await compare(5, farOf);
    expect(ranked[0]).toMatchObject({ version: 3, versions: [1, 3], bundle: named('1+3') });
    expect(ranked[0]!.score).toMatchObject({ version: 3, versions: [1, 3], episodes: 40 });
    // Those of the best three only; each from the same ten first starts as the others.
    const means = Object.keys(starts).filter((name) => name.includes('+'));
    expect(means).toEqual(['1+2', '1+3', '2+3', '1+2+3']);
    expect(Object.values(starts).sort((a, b) => a - b)).toEqual([10, 10, 10, 10, 10, 10, 20, 40, 40]);
    expect(progress[0]).toEqual([0, 160]);
    expect(progress.at(-1)).toEqual([160, 160]);
  });

  it('are not chosen for less than the noise, as they take longer to run', async () => {
    const farOf = (name: string): number => (name.includes('+') ? 0.098 : 0.1);
    expect((await compare(3, farOf)).ranked[0]!.versions).toEqual([1]);
    expect((await compare(3, (name) => (name.includes('+') ? 0.09 : 0.1))).ranked[0]!.versions).toEqual([1, 2]);
  });

  it('are left out where policies have none, and where there is one policy', async () => {
    const { ranked, starts, progress } = await compare(3, (name) => Number(name), true);
    expect(ranked.map(({ versions }) => versions)).toEqual([[1], [2], [3]]);
    expect(Object.keys(starts)).toEqual(['1', '2', '3']);
    // Four means were expected and there were none.
    expect([progress[0], progress.at(-1)]).toEqual([
      [0, 140],
      [100, 100],
    ]);
    expect((await compare(1, () => 1)).ranked.map(({ versions }) => versions)).toEqual([[1]]);
  });
});

describe('the choice among policies of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'iq-means-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const OBSERVATION = [1, -1, 0.5];
  const policies = [1, 2, 3].map((seed) => linearPolicy(seed));
  const actionOf = (members: readonly number[]): number =>
    members.reduce((sum, i) => sum + policies[i]!.expected(OBSERVATION, [0, 0])[0]!, 0) / members.length;

  /** Of policies that drive beside the demonstration by as much as their action is beside that of the mean of two of them. */
  async function chosen(rateHz: number) {
    const choice = new CandidateChoice({
      ...{ seed: 1, task: { name: 'rail' }, folder },
      distance: new OccupancyDistance([episode()], vectorObservation(1), 1),
      drive: async (bundle, seeds) => {
        const policy = await decodeBundle(bundle);
        const offset = Math.abs((await policy.act(OBSERVATION))[0]! - actionOf([0, 2]));
        await policy.dispose();
        return seeds.map(() => ({ episode: episode(offset), return: 0 }));
      },
    });
    const made = await Promise.all(
      policies.map(({ policy }, i) =>
        encodeBundle({
          policy,
          contract: i === 0 ? { ...contract, rateHz } : contract,
          version: i + 1,
          training: { algorithm: 'iq-sac', seed: 7, steps: i },
        }),
      ),
    );
    for (const [i, bundle] of made.entries()) await choice.add(i + 1, bundle);
    return await choice.choose({ version: 3, bundle: made[2]! });
  }

  it('deploys their mean as a policy that says whose it is', async () => {
    const { bundle, score } = await chosen(contract.rateHz);
    expect(score).toMatchObject({ version: 3, versions: [1, 3], episodes: 40 });
    const runtime = await decodeBundle(bundle);
    expect((await runtime.act(OBSERVATION))[0]).toBeCloseTo(actionOf([0, 2]), 5);
    // What their training had in common is said of it, too.
    expect(runtime.training).toEqual({
      algorithm: 'iq-sac',
      seed: 7,
      mean_of: expect.stringMatching(/^testbot\/1\/\w+, testbot\/3\/\w+$/),
    });
    await runtime.dispose();
    expect((await chosen(contract.rateHz)).bundle).toEqual(bundle);
  });

  it('does without means where policies cannot be combined', async () => {
    expect((await chosen(10)).score.versions).toHaveLength(1);
  });
});
