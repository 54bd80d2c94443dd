import { describe, expect, it } from 'vitest';
import type { Block, Observation, ObservationSpec } from '#src/common/index.js';
import { createTask, type Environment, environmentOf } from '#src/simulation/index.js';
import { runConfig, startLearner } from '#src/training/contract.js';
import { EnvironmentTrainer } from '#src/training/index.js';

const block = (name: string, shape: readonly number[]): Block => ({
  name,
  shape,
  dtype: 'float32',
  normalise: 'standard',
});

/** The cart and pole with two blocks for an observation: where the cart is, and how the pole stands. */
async function inBlocks(): Promise<Environment> {
  const environment = environmentOf(await createTask('cartpole'));
  const split = (numbers: Observation): Observation => {
    const [x, v, angle, speed] = numbers as Float64Array;
    return { cart: [x!, v!], pole: [angle!, speed!] };
  };
  return {
    ...environment,
    observation: [block('cart', [2]), block('pole', [2])],
    reset: async (seed) => split(await environment.reset(seed)),
    step: async (action) => {
      const step = await environment.step(action);
      return { ...step, observation: split(step.observation) };
    },
  };
}

const learnerOf = (observation: ObservationSpec) =>
  startLearner({
    config: runConfig(
      { agent: 'sac', hiddenSizes: [8], batchSize: 8, bufferSize: 500 },
      { steps: 100, updatesPerTransition: 1 },
    ),
    observation,
    actionSize: 2,
    seed: 3,
    demonstrations: [],
    threads: 1,
  });

const start = async (environment: Environment): Promise<EnvironmentTrainer> =>
  EnvironmentTrainer.create({
    learner: await learnerOf(environment.observation),
    environment,
    seed: 4,
    randomSteps: 20,
    updateAfter: 20,
    updatesPerStep: 1,
  });

describe('an environment whose observation is several blocks', () => {
  it('is learned in as one with the same numbers in one vector, and resumed bit for bit', async () => {
    const [vector, blocks] = [await start(environmentOf(await createTask('cartpole'))), await start(await inBlocks())];
    for (let i = 0; i < 60; i++) expect(await blocks.step()).toEqual(await vector.step());
    const checkpoint = structuredClone(await blocks.checkpoint());
    expect(Object.keys(checkpoint.arrays)).toEqual(
      expect.arrayContaining(['environment.observation_cart', 'environment.observation_pole']),
    );
    const resumed = await EnvironmentTrainer.resume(checkpoint, await inBlocks(), { threads: 1 });
    for (let i = 0; i < 30; i++) expect(await resumed.step()).toEqual(await blocks.step());
    const { 'environment.observation_pole': _, ...others } = checkpoint.arrays;
    await expect(
      EnvironmentTrainer.resume({ ...checkpoint, arrays: others }, await inBlocks(), { threads: 1 }),
    ).rejects.toMatchObject({ code: 'CORRUPT_DATA' });
    for (const training of [vector, blocks, resumed]) await training.dispose();
  });

  it('is refused, naming the block, where an observation lacks one or no network takes it', async () => {
    const environment = await inBlocks();
    const blind = { ...environment, reset: async () => ({ cart: [0, 0] }) };
    await expect(start(blind)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', found: 'cart' });
    const camera: Block = { name: 'camera', shape: [300, 300, 3], dtype: 'uint8', normalise: 'unit' };
    await expect(learnerOf([...environment.observation, camera])).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('no network takes the block camera'),
    });
  });
});
