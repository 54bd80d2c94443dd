import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meanModel } from '#src/engine/index.js';
import {
  combineBundles,
  decodeBundle,
  encodeBundle,
  type NamedBundle,
  type PolicyContract,
  type PolicyFunction,
  writeBundle,
} from '#src/policy/index.js';
import { cli } from '../cli/support.js';
import { cameraAction, cameraContract, cameraPolicy, cameraWeights } from './camera-policy.js';
import { contract, linearPolicy } from './policy.js';

let folder: string;
let members: NamedBundle[];
const seeds = [1, 2, 3];
const linear = seeds.map((seed) => linearPolicy(seed));

async function named(source: string, policy: PolicyFunction, of: PolicyContract = contract): Promise<NamedBundle> {
  const training = { algorithm: 'iq-sac' };
  return { source, bundle: await encodeBundle({ policy, contract: of, version: source.length, training }) };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iq-combine-'));
  members = await Promise.all(seeds.map((seed, i) => named('p'.repeat(seed), linear[i]!.policy)));
  for (const { source, bundle } of members) writeBundle(join(folder, source), bundle);
});
afterAll(() => rmSync(folder, { recursive: true }));

const numbers = (length: number, limit: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: -limit, max: limit, noNaN: true }), { minLength: length, maxLength: length });
const meanOf = (rows: readonly number[][], k: number): number =>
  rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length;

describe('policies that are combined', () => {
  it('give the mean of their actions, with and without noise', async () => {
    const runtime = await decodeBundle(await combineBundles(members));
    await fc.assert(
      fc.asyncProperty(numbers(3, 4), numbers(2, 3), async (observation, noise) => {
        const [sampled, deterministic] = [await runtime.act(observation, noise), await runtime.act(observation)];
        for (let k = 0; k < 2; k++) {
          const expected = (given: readonly number[]): number =>
            meanOf(
              linear.map((each) => each.expected(observation, given)),
              k,
            );
          expect(sampled[k]).toBeCloseTo(expected(noise), 5);
          expect(deterministic[k]).toBeCloseTo(expected([0, 0]), 5);
        }
      }),
    );
    await runtime.dispose();
  });

  it('are a policy for the same robot that says whose mean it is, in the same bytes each time', async () => {
    const [made, again] = [await combineBundles(members), await combineBundles(members)];
    expect(made).toEqual(again);
    const runtime = await decodeBundle(made);
    expect(runtime).toMatchObject({ contract, version: 3, training: { algorithm: 'iq-sac' } });
    expect(String(runtime.training.mean_of).split(', ')).toHaveLength(3);
    await runtime.dispose();
  });

  it('can be combined again', async () => {
    const pair = { source: 'pair', bundle: await combineBundles(members.slice(0, 2)) };
    const runtime = await decodeBundle(await combineBundles([pair, members[2]!]));
    const observation = [1, -1, 0.5];
    const [a, b, c] = linear.map(({ expected }) => expected(observation, [0, 0]));
    const action = await runtime.act(observation);
    for (let k = 0; k < 2; k++) expect(action[k]).toBeCloseTo((a![k]! + b![k]!) / 4 + c![k]! / 2, 5);
    await runtime.dispose();
  });

  it('may see images', async () => {
    const weights = [1, 2].map(cameraWeights);
    const seeing = await Promise.all(weights.map((each, i) => named(`${i}`, cameraPolicy(each), cameraContract)));
    const runtime = await decodeBundle(await combineBundles(seeing));
    const [state, camera] = [[0.1, -0.2, 0.3, -0.4], Uint8Array.from({ length: 192 }, (_, i) => i)];
    const action = await runtime.act({ state, camera });
    const expected = weights.map((each) => cameraAction(each, state, camera));
    for (let k = 0; k < 2; k++) expect(action[k]).toBeCloseTo(meanOf(expected, k), 5);
    await runtime.dispose();
  });
});

describe('policies are not combined', () => {
  const slower: PolicyContract = { ...contract, rateHz: 10 };
  it.each<[string, () => Promise<NamedBundle[]>, string, RegExp]>([
    ['alone', async () => members.slice(0, 1), 'INVALID_ARGUMENT', /one policy cannot be combined; found: p;/],
    [
      'with themselves',
      async () => [members[0]!, members[1]!, { ...members[0]!, source: 'copy' }],
      'INVALID_ARGUMENT',
      /given twice; found: p and copy are the same/,
    ],
    [
      'with those of another robot',
      async () => [members[0]!, await named('slow', linear[1]!.policy, slower)],
      'MISMATCH',
      /rateHz differs; found: 10 \(slow\); expected: 20 \(p\)/,
    ],
    [
      'with one that was altered',
      async () => [
        members[0]!,
        { source: 'cut', bundle: { ...members[1]!.bundle, model: members[1]!.bundle.model.slice(1) } },
      ],
      'CORRUPT_DATA',
      /^cut: /,
    ],
  ])('%s', async (_, given, code, text) => {
    const error = await combineBundles(await given()).catch((found: unknown) => found);
    expect(error).toMatchObject({ code, message: expect.stringMatching(text) });
  });

  it('where the files have other inputs', async () => {
    const seeing = await named('seeing', cameraPolicy(), cameraContract);
    const make = (): Uint8Array => meanModel([members[0]!.bundle.model, seeing.bundle.model], {});
    expect(make).toThrow(/models 2 and 1 have no mean: their inputs differ; found: observation_state \[1,4\]/);
  });
});

describe('iq-learn combine', () => {
  it('writes a policy that iq-learn inspect reads, and replaces none', async () => {
    const [first, second, out] = ['p', 'pp', 'both'].map((name) => join(folder, name));
    const made = await cli('combine', first!, second!, '--out', out!);
    expect(made).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`policy: ${out} (the mean of 2`),
    });
    expect((await cli('inspect', out!)).stdout).toMatch(
      /golden vectors agree[\s\S]*mean_of +testbot\/1\/\w+, testbot\/2\//,
    );
    const again = await cli('combine', first!, second!, '--out', out!);
    expect(again.stderr).toMatch(/is there already; expected: a new folder/);
  });

  it('leaves nothing behind where a policy is missing', async () => {
    const out = join(folder, 'nothing');
    const ended = await cli('combine', join(folder, 'p'), join(folder, 'not-there'), '--out', out);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(/not-there is no policy bundle that can be read; found: .*not-there/);
    expect(existsSync(out)).toBe(false);
  });
});
