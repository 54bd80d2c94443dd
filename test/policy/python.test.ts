import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import { identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { combineBundles, encodeBundle, type PolicyBundle, readBundle, writeBundle } from '#src/policy/index.js';
import { describeWithPython, runPython } from '../support/python.js';
import { contract } from './policy.js';

const [o, a] = [contract.observation.length, contract.action.length];

async function untrained(seed: number): Promise<PolicyBundle> {
  const learner = await Learner.create({
    config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [64, 64] }),
    observation: vectorObservation(o),
    actionSize: a,
    normalisation: identityNormalisation(o),
    seed,
  });
  const bundle = await encodeBundle({ policy: learner.policyFunction(), contract, version: 4 });
  await learner.dispose();
  return bundle;
}

describeWithPython('a policy bundle in Python', () => {
  it.each<[string, () => Promise<PolicyBundle>]>([
    ['of one run', () => untrained(3)],
    [
      'that is the mean of two',
      async () =>
        combineBundles([
          { source: 'a', bundle: await untrained(3) },
          { source: 'b', bundle: await untrained(4) },
        ]),
    ],
  ])('%s gives the same actions, golden vectors and metadata with onnxruntime alone', async (_, make) => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-policy-'));
    const bundle = await make();
    writeBundle(folder, bundle);
    const random = new Random(9);
    const rows = (size: number): number[][] =>
      Array.from({ length: 50 }, () => [...random.fillNormal(new Float32Array(size))]);
    const request = { observations: rows(o), noise: rows(a) };
    writeFileSync(join(folder, 'request.json'), JSON.stringify(request));

    const answer = JSON.parse(await runPython('test/policy/run_policy.py', folder, join(folder, 'request.json')));

    const runtime = await readBundle(folder);
    for (const [i, observation] of request.observations.entries()) {
      const action = await runtime.act(observation, request.noise[i]);
      action.forEach((value, k) => {
        expect(Math.abs(answer.actions[i][k] - value)).toBeLessThanOrEqual(1e-5);
      });
    }
    await runtime.dispose();
    const golden: { action: number[] }[] = JSON.parse(bundle.manifest).golden;
    golden.forEach(({ action }, i) => {
      action.forEach((value, k) => {
        expect(Math.abs(answer.golden[i][k] - value)).toBeLessThanOrEqual(1e-5);
      });
    });
    expect(answer.metadata).toMatchObject({ robot: 'testbot', policy_version: '4', format: 'iq_learn/policy' });
    rmSync(folder, { recursive: true });
  });
});
