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
import { discriminatorLoss } from '#src/learning/losses/discriminator.js';
import { sqilLoss } from '#src/learning/losses/sqil.js';
import { evaluate } from './support/evaluate.js';

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
const column = (data: ArrayLike<number>) => ({ shape: [data.length, 1], data });

describe('the losses of the baselines', () => {
  const random = new Random(3);
  const normals = (n: number): number[] => Array.from({ length: n }, () => random.normal());
  const [q, y] = [normals(12), normals(12)];

  it("SQIL's equals the formula written out by hand", async () => {
    const { loss } = await evaluate({ q: { shape: [1, 12, 1], data: q }, y: column(y) }, (x) => ({
      loss: tf.reshape(sqilLoss(x.q!, x.y!, { policyRows: 8, expertRows: 4, sampleWeight: 0.7 }), [1]),
    }));
    const policy = mean(q.slice(0, 8).map((v, i) => (v - y[i]!) ** 2));
    const expert = mean(q.slice(8).map((v, i) => (v - (1 + y[8 + i]!)) ** 2));
    expect(loss![0]).toBeCloseTo(0.5 * (expert + 0.7 * policy), 5);
  });

  it("the discriminator's equals the formula written out by hand", async () => {
    const { loss } = await evaluate({ expert: column(q), policy: column(y) }, (x) => ({
      loss: tf.reshape(discriminatorLoss(x.expert!, x.policy!), [1]),
    }));
    const d = (h: number): number => 1 / (1 + Math.exp(-h));
    expect(loss![0]).toBeCloseTo(-mean(q.map((h) => Math.log(d(h)))) - mean(y.map((h) => Math.log(1 - d(h)))), 5);
  });
});

/** A learner in a world of one state, the number 0, that every one of `actions` leads back to. */
function bandit(settings: LearnerSettings, actions: number): Promise<Learner> {
  return Learner.create({
    config: learnerConfig({ hiddenSizes: [32], batchSize: 256, ...settings } as LearnerSettings),
    observation: vectorObservation(1),
    actionSize: actions,
    normalisation: identityNormalisation(1),
    seed: 1,
    threads: 1,
  });
}

const oneHot = (n: number, index: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Number(i === index));

/** The demonstration in which each action of the bandit was taken so many times. */
function shown(counts: readonly number[]): Episode {
  const taken = counts.flatMap((count, action) => Array.from({ length: count }, () => action));
  return {
    length: taken.length,
    observations: new Float32Array(taken.length + 1),
    actions: Float32Array.from(taken.flatMap((action) => [...oneHot(counts.length, action)])),
    terminated: false,
  };
}

function act(learner: Learner, counts: readonly number[], rewards: readonly number[] = []): void {
  counts.forEach((count, action) => {
    for (let i = 0; i < count; i++)
      learner.addTransition({
        observation: [0],
        action: oneHot(counts.length, action),
        nextObservation: [0],
        terminated: false,
        reward: rewards[action] ?? 0,
      });
  });
}

/** The policy's probabilities of the actions. */
async function probabilities(learner: Learner): Promise<number[]> {
  const actor = await Actor.create(learner.policyFunction());
  const logits = await actor.act([0]);
  await actor.dispose();
  const weights = Array.from(logits, (x) => Math.exp(x - Math.max(...logits)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

const softmax = (values: readonly number[]): number[] => {
  const weights = values.map(Math.exp);
  return weights.map((w) => w / weights.reduce((a, b) => a + b, 0));
};

function expectClose(found: readonly number[], expected: readonly number[]): void {
  for (const [i, p] of expected.entries()) expect(found[i]).toBeCloseTo(p, 1.5);
}

describe('where the answer is known', () => {
  // With one state Q(a) = R(a) + γ V, so that the policy is softmax(R/T) whatever γ.
  const common = { temperature: 0.5, gamma: 0.5, criticLearningRate: 3e-3, tau: 0.05, layerNorm: false } as const;

  it('soft Q-learning finds softmax(R/T)', async () => {
    const rewards = [0.2, 1, -0.5];
    const learner = await bandit({ agent: 'soft-q', ...common }, 3);
    act(learner, [30, 30, 30], rewards);
    await learner.update(1500);
    const found = await probabilities(learner);
    expectClose(found, softmax(rewards.map((r) => r / 0.5)));
    await learner.dispose();
  });

  it('SQIL finds softmax(R/T) of the mean reward R(a) = ρ_E / (ρ_E + ρ)', async () => {
    const [expert, policy] = [
      [60, 30, 10],
      [20, 30, 50],
    ];
    const learner = await bandit({ agent: 'sqil-soft-q', ...common }, 3);
    learner.addDemonstration(shown(expert!));
    act(learner, policy!);
    await learner.update(2000);
    const rewards = expert!.map((count, a) => count / (count + policy![a]!));
    const found = await probabilities(learner);
    expectClose(found, softmax(rewards.map((r) => r / 0.5)));
    await learner.dispose();
  });

  it('cloning of discrete actions finds how often each was demonstrated', async () => {
    const learner = await bandit({ agent: 'cloning-discrete', decayUpdates: 1500 }, 3);
    learner.addDemonstration(shown([60, 30, 10]));
    await learner.update(1500);
    const found = await probabilities(learner);
    expectClose(found, [0.6, 0.3, 0.1]);
    await learner.dispose();
  });

  it("DAC's reward is log ρ_E/ρ without the gradient penalty", async () => {
    const learner = await bandit({ agent: 'dac', gradientPenalty: 0, discriminatorLearningRate: 3e-3 }, 1);
    // The expert takes 0.5 three times as often as −0.5; the policy the other way round.
    const episode = (actions: number[]): Episode => ({
      length: actions.length,
      observations: new Float32Array(actions.length + 1),
      actions: Float32Array.from(actions),
      terminated: false,
    });
    learner.addDemonstration(episode([0.5, 0.5, 0.5, -0.5]));
    for (const action of [0.5, -0.5, -0.5, -0.5])
      learner.addTransition({ observation: [0], action: [action], nextObservation: [0], terminated: false });
    await learner.update(1500);
    const rewards = await learner.recoverRewards(episode([0.5, -0.5]));
    expect(rewards[0]).toBeCloseTo(Math.log(3), 0.7);
    expect(rewards[1]).toBeCloseTo(-Math.log(3), 0.7);
    await learner.dispose();
  });
});

/** x′ = x + 0.3 a + a little noise, from x in ±2, for 20 steps; the expert goes to 0 and stays. An end on the way is no end. */
const expertAction = (x: number): number => Math.max(-0.9, Math.min(0.9, -x / 0.3));

async function drive(choose: (x: number) => number | Promise<number>, random: Random, end = Number.POSITIVE_INFINITY) {
  const [observations, actions] = [[random.uniform(-2, 2)], [] as number[]];
  while (actions.length < 20 && Math.abs(observations.at(-1)!) < end) {
    const action = await choose(observations.at(-1)!);
    actions.push(action);
    observations.push(observations.at(-1)! + 0.3 * action + 0.02 * random.normal());
  }
  return {
    length: actions.length,
    observations: Float32Array.from(observations),
    actions: Float32Array.from(actions),
    terminated: Math.abs(observations.at(-1)!) >= end,
  };
}

/** Where the policy is on average in the second half of an episode, as a distance from 0. */
async function distance(learner: Learner): Promise<number> {
  const actor = await Actor.create(learner.policyFunction());
  const far: number[] = [];
  for (let i = 0; i < 20; i++) {
    const { observations } = await drive(async (x) => (await actor.act([x]))[0]!, Random.derive(i, 'evaluation'));
    far.push(...Array.from(observations.subarray(10), Math.abs));
  }
  await actor.dispose();
  return mean(far);
}

describe('on a line', () => {
  it.each(['sqil', 'dac'] as const)(
    '%s learns to go to the middle from three demonstrations, though leaving ±3 ends an episode',
    async (agent) => {
      const learner = await Learner.create({
        config: learnerConfig({ agent, hiddenSizes: [64, 64], batchSize: 64, gamma: 0.95 }),
        observation: vectorObservation(1),
        actionSize: 1,
        normalisation: identityNormalisation(1),
        seed: 1,
        threads: 1,
      });
      for (let i = 0; i < 3; i++) learner.addDemonstration(await drive(expertAction, Random.derive(i, 'expert')));
      const before = await distance(learner);
      const actor = await Actor.create(learner.actingPolicy());
      const random = Random.derive(0, 'exploration');
      while (learner.transitions < 2500) {
        const episode = await drive(
          async (x) => (await actor.act([x], random.fillNormal(new Float32Array(1))))[0]!,
          random,
          3,
        );
        for (let t = 0; t < episode.length; t++)
          learner.addTransition({
            observation: episode.observations.subarray(t, t + 1),
            action: episode.actions.subarray(t, t + 1),
            nextObservation: episode.observations.subarray(t + 1, t + 2),
            terminated: episode.terminated && t === episode.length - 1,
          });
        await learner.update(episode.length);
        actor.load(learner.actingPolicy());
      }
      expect(before).toBeGreaterThan(0.7);
      expect(await distance(learner)).toBeLessThan(0.15);
      await actor.dispose();
      await learner.dispose();
    },
    120_000,
  );
});
