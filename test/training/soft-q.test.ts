import { describe, expect, it } from 'vitest';
import { Actor, Learner, type LearnerSettings, learnerConfig, normalisationOf } from '#src/learning/index.js';
import { createExpert, createTask, environmentOf, taskDefinition } from '#src/simulation/index.js';
import { EnvironmentTrainer, evaluateOnTask, expertEpisodes } from '#src/training/index.js';

/** A learner with demonstrations of the task's expert, and the settings of the task's folder. */
async function taught(name: string, demonstrations: number, settings: Partial<LearnerSettings>): Promise<Learner> {
  const task = await createTask(name);
  const episodes = expertEpisodes(task, createExpert(name), { episodes: demonstrations, seed: 1000 });
  const environment = environmentOf(task);
  const learner = await Learner.create({
    config: learnerConfig({ ...taskDefinition(name).preset!.config, ...settings } as LearnerSettings),
    observation: environment.observation,
    actionSize: environment.actionRange.size,
    normalisation: normalisationOf(
      Float32Array.from(episodes.flatMap(({ observations }) => [...(observations as Float32Array)])),
      task.observationSpace.dimensions.length,
    ),
    seed: 0,
    threads: 1,
  });
  for (const episode of episodes) learner.addDemonstration(episode);
  return learner;
}

async function returnsOf(learner: Learner, name: string): Promise<number[]> {
  const actor = await Actor.create(learner.policyFunction());
  const environment = environmentOf(await createTask(name));
  const episodes = await evaluateOnTask(actor, environment, { episodes: 20, seed: 500 });
  await actor.dispose();
  return episodes.map((episode) => episode.return);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('IQ-Learn with soft Q-learning', () => {
  it('learns to balance the pole from three demonstrations alone', async () => {
    const learner = await taught('cartpole', 3, { online: false });
    await learner.update(800);
    expect(mean(await returnsOf(learner, 'cartpole'))).toBeGreaterThanOrEqual(450);
    await learner.dispose();
  }, 120_000);

  it('learns the way to a corner of the gridworld while it acts', async () => {
    const learner = await taught('gridworld', 20, {});
    const training = await EnvironmentTrainer.create({
      learner,
      environment: environmentOf(await createTask('gridworld')),
      seed: 0,
      randomSteps: 100,
      updateAfter: 100,
      updatesPerStep: 1,
    });
    for (let i = 0; i < 2600; i++) await training.step();
    expect(Math.min(...(await returnsOf(learner, 'gridworld')))).toBeGreaterThan(40);
    await training.dispose();
  }, 120_000);
});
