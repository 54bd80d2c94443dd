import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import {
  Actor,
  type Episode,
  identityNormalisation,
  Learner,
  type LearnerSettings,
  learnerConfig,
} from '#src/learning/index.js';
import { cloningLoss } from '#src/learning/losses/actor.js';
import { evaluate } from './support/evaluate.js';

type Settings = Partial<Extract<LearnerSettings, { agent: 'iq-sac' }>>;

const uniforms = (random: Random, n: number): Float32Array =>
  Float32Array.from({ length: n }, () => random.uniform(-1, 1));

/** Shown actions are 0.6 and −0.3 everywhere. */
function demonstration(length = 40): Episode {
  const observations = uniforms(new Random(3), (length + 1) * 3);
  const actions = Float32Array.from({ length: 2 * length }, (_, i) => (i % 2 === 0 ? 0.6 : -0.3));
  return { length, observations, actions, terminated: false };
}

async function learnerWith(settings: Settings): Promise<Learner> {
  const learner = await Learner.create({
    config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [16, 16], batchSize: 16, bufferSize: 1000, ...settings }),
    observation: vectorObservation(3),
    actionSize: 2,
    normalisation: identityNormalisation(3),
    seed: 1,
    threads: 1,
  });
  learner.addDemonstration(demonstration());
  const random = new Random(2);
  for (let i = 0; i < 60; i++)
    learner.addTransition({
      observation: uniforms(random, 3),
      action: uniforms(random, 2),
      nextObservation: uniforms(random, 3),
      terminated: i % 20 === 19,
    });
  return learner;
}

/** The mean squared error of the actor's actions in the demonstrated states after updates. */
async function errorAfter(updates: number, settings: Settings): Promise<number> {
  const learner = await learnerWith(settings);
  await learner.update(updates);
  const actor = await Actor.create(learner.actingPolicy());
  const { length, observations, actions } = demonstration();
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const action = await actor.act((observations as Float32Array).subarray(3 * i, 3 * i + 3));
    for (let k = 0; k < 2; k++) sum += (action[k]! - actions[2 * i + k]!) ** 2 / (2 * length);
  }
  await actor.dispose();
  await learner.dispose();
  return sum;
}

describe('the cloning term of the actor', () => {
  it('is the squared error of the mean action, added up over the action and meant over live rows', async () => {
    const [mean, actions, live] = [
      [0.5, -1, 2, 0],
      [0.1, 0.2, -0.4, 0.9],
      [1, 0],
    ];
    const error = (i: number): number => (Math.tanh(mean[i]!) - actions[i]!) ** 2;
    const { all, some } = await evaluate(
      {
        mean: { shape: [2, 2], data: mean },
        actions: { shape: [2, 2], data: actions },
        live: { shape: [2, 1], data: live },
      },
      (given) => ({
        all: tf.reshape(cloningLoss(given.mean!, given.actions!), [1]),
        some: tf.reshape(cloningLoss(given.mean!, given.actions!, given.live!), [1]),
      }),
    );
    expect(all![0]).toBeCloseTo((error(0) + error(1) + error(2) + error(3)) / 2, 6);
    expect(some![0]).toBeCloseTo(error(0) + error(1), 6);
  });

  it('holds what was shown, the more the larger its weight', async () => {
    const rate: Settings = { actorLearningRate: 1e-3 };
    const without = await errorAfter(400, { ...rate, cloningWeight: 0 });
    const with_ = await errorAfter(400, { ...rate, cloningWeight: 5 });
    expect(with_).toBeLessThan(0.02);
    expect(without).toBeGreaterThan(5 * with_);
  });

  it('is none where nobody has seen the actions of the demonstrations', async () => {
    const parameters = async (settings: Settings) => {
      const learner = await learnerWith(settings);
      await learner.update(5);
      const { actor } = learner.parameters();
      await learner.dispose();
      return actor;
    };
    for (const expertActions of ['policy', 'inverse-dynamics'] as const)
      expect(await parameters({ expertActions, cloningWeight: 5 })).toEqual(
        await parameters({ expertActions, cloningWeight: 0 }),
      );
    expect(await parameters({ cloningWeight: 5 })).not.toEqual(await parameters({ cloningWeight: 0 }));
  });
});
