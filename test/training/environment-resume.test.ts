import { describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import { identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { createTask, type Environment, environmentOf } from '#src/simulation/index.js';
import { EnvironmentTrainer } from '#src/training/index.js';

/** The cart and pole as another process would give it: it answers later and has no snapshots. */
async function distant(): Promise<Environment> {
  const { snapshot: _, restore: __, ...environment } = environmentOf(await createTask('cartpole'));
  return {
    ...environment,
    reset: async (seed) => {
      await new Promise(setImmediate);
      return environment.reset(seed);
    },
    step: async (action) => environment.step(action),
  };
}

const start = async (environment: Environment): Promise<EnvironmentTrainer> =>
  EnvironmentTrainer.create({
    learner: await Learner.create({
      config: learnerConfig({ agent: 'iq-soft-q', hiddenSizes: [8], batchSize: 8, bufferSize: 500, online: true }),
      observation: vectorObservation(4),
      actionSize: 2,
      normalisation: identityNormalisation(4),
      seed: 3,
      threads: 1,
    }),
    environment,
    seed: 4,
    randomSteps: 20,
    updateAfter: 1_000_000,
    updatesPerStep: 1,
  });

describe('an environment that answers later and has no snapshots', () => {
  it('is brought back to the middle of an episode by its seed and actions: the run goes on bit for bit', async () => {
    const [near, far] = [await start(environmentOf(await createTask('cartpole'))), await start(await distant())];
    for (let i = 0; i < 75; i++) expect(await far.step()).toEqual(await near.step());
    const resumed = await EnvironmentTrainer.resume(structuredClone(await far.checkpoint()), await distant(), {
      threads: 1,
    });
    for (let i = 0; i < 60; i++) expect(await resumed.step()).toEqual(await far.step());
    expect(await resumed.checkpoint()).toEqual(await far.checkpoint());
    for (const training of [near, far, resumed]) await training.dispose();
  });

  it('is refused, with the reason, where it does not repeat an episode', async () => {
    const training = await start(await distant());
    for (let i = 0; i < 3; i++) await training.step();
    const checkpoint = structuredClone(await training.checkpoint());
    checkpoint.arrays['environment.observation']![0]! += 0.01;
    await expect(EnvironmentTrainer.resume(checkpoint, await distant(), { threads: 1 })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      found: expect.stringContaining('does not repeat an episode'),
    });
    await training.dispose();
  });
});
