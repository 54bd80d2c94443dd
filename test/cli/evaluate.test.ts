import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import { identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { encodeBundle, writeBundle } from '#src/policy/index.js';
import { contractOf, loadRobotSpec } from '#src/robot/index.js';
import { cli, inNewFolder } from './support.js';

let folder: ReturnType<typeof inNewFolder>;

/** The folder of a policy for the rover that has learned nothing, as an algorithm of this name would have written it. */
async function bundleBy(algorithm: string): Promise<string> {
  const spec = loadRobotSpec('rover');
  const learner = await Learner.create({
    config: learnerConfig({ agent: 'sac', hiddenSizes: [8, 8], bufferSize: 1000 }),
    observation: vectorObservation(spec.observation.length),
    actionSize: spec.action.length,
    normalisation: identityNormalisation(spec.observation.length),
    seed: 0,
  });
  const policy = learner.policyFunction();
  writeBundle(
    algorithm,
    await encodeBundle({ policy, contract: contractOf(spec), version: 1, training: { algorithm } }),
  );
  await learner.dispose();
  return algorithm;
}

beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

describe('evaluate', () => {
  it.each([
    ['SAC', 'sac'],
    ['made-up-agent', 'made-up-agent'],
  ])('says that %s made a policy whose bundle says so', async (label, algorithm) => {
    const ended = await cli('evaluate', '--policy', await bundleBy(algorithm), '--robot', 'rover', '--episodes', '1');
    expect(ended).toMatchObject({ code: 0 });
    const names = ['SAC', 'IQ-Learn', 'Behavioural cloning', 'made-up-agent'].filter((name) =>
      ended.stdout.includes(name),
    );
    expect(names).toEqual([label]);
  });
});
