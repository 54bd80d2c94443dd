import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import {
  Actor,
  type Episode,
  identityNormalisation,
  Learner,
  learnerConfig,
  normalisationOf,
} from '#src/learning/index.js';
import { divergenceNames } from '#src/learning/losses/divergences.js';
import { createTask, type Task } from '#src/simulation/index.js';

type Choose = (observation: ArrayLike<number>) => number | Promise<number>;

/** One episode under a policy that chooses among discrete actions, with its return. */
async function rollout(task: Task, seed: number, choose: Choose): Promise<{ episode: Episode; return: number }> {
  if (task.actionSpace.kind !== 'discrete') throw new RangeError('discrete actions are expected');
  const { n } = task.actionSpace;
  let observation: ArrayLike<number> = task.reset(seed);
  const observations = [...Array.from(observation)];
  const actions: number[] = [];
  let total = 0;
  for (let length = 1; ; length++) {
    const action = await choose(observation);
    actions.push(...Array.from({ length: n }, (_, i) => Number(i === action)));
    const result = task.step([action]);
    observation = result.observation;
    observations.push(...Array.from(observation));
    total += result.reward;
    if (result.terminated || result.truncated)
      return {
        episode: {
          length,
          observations: Float32Array.from(observations),
          actions: Float32Array.from(actions),
          terminated: result.terminated,
        },
        return: total,
      };
  }
}

const argmax = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, x, i, all) => (x > all[best]! ? i : best), 0);

const greedy =
  (actor: Actor): Choose =>
  async (observation) =>
    argmax(await actor.act(observation));

/** Gumbel noise makes the argmax of the logits a sample of the softmax. */
const sampled =
  (actor: Actor, random: Random, actions: number): Choose =>
  async (observation) =>
    argmax(
      await actor.act(
        observation,
        Float32Array.from({ length: actions }, () => -Math.log(-Math.log(random.uniform(1e-9, 1)))),
      ),
    );

async function meanReturn(task: Task, choose: Choose, episodes = 20): Promise<number> {
  let sum = 0;
  for (let i = 0; i < episodes; i++) sum += (await rollout(task, 1000 + i, choose)).return;
  return sum / episodes;
}

/** Balances the pole: pushes in the direction in which it falls, and slowly back to the middle. */
const balance: Choose = (observation) => {
  const [x, xDot, theta, thetaDot] = Array.from(observation) as [number, number, number, number];
  return theta + 0.4 * thetaDot + 0.02 * x + 0.06 * xDot > 0 ? 1 : 0;
};

/** Walks to the nearer of the two paying corners, (0, 0) and (4, 4), and stays. */
const toCorner: Choose = (observation) => {
  const cell = argmax(observation);
  const [x, y] = [cell % 5, Math.floor(cell / 5)];
  const low = x + y <= 4;
  if (low) return x > 0 ? 1 : y > 0 ? 3 : 0;
  return x < 4 ? 2 : y < 4 ? 4 : 0;
};

/** Acts and learns in turn: an update for each step of the policy. */
async function learnOnline(learner: Learner, task: Task, steps: number, actions: number): Promise<Actor> {
  const actor = await Actor.create(learner.policyFunction());
  const random = Random.derive(1, 'exploration');
  const choose = sampled(actor, random, actions);
  for (let seed = 0; learner.transitions < steps; seed++) {
    const { episode } = await rollout(task, seed, choose);
    const observations = episode.observations as Float32Array;
    const o = observations.length / (episode.length + 1);
    for (let t = 0; t < episode.length; t++)
      learner.addTransition({
        observation: observations.subarray(t * o, (t + 1) * o),
        action: episode.actions.subarray(t * actions, (t + 1) * actions),
        nextObservation: observations.subarray((t + 1) * o, (t + 2) * o),
        terminated: episode.terminated && t === episode.length - 1,
      });
    await learner.update(episode.length);
    actor.load(learner.policyFunction());
  }
  return actor;
}

describe('IQ-Learn with soft Q-learning', () => {
  it('learns the gridworld online from thirty demonstrations, and recovers a reward that is highest in the corners', async () => {
    const task = await createTask('gridworld', { maxSteps: 12 });
    const learner = await Learner.create({
      config: learnerConfig({
        agent: 'iq-soft-q',
        hiddenSizes: [64],
        batchSize: 64,
        gamma: 0.9,
        temperature: 0.01,
        criticLearningRate: 1e-3,
        // Some cells are shown once or twice only: of these the likelihood of the expert's actions tells most.
        valueTerm: 'value_expert',
      }),
      observation: vectorObservation(25),
      actionSize: 5,
      normalisation: identityNormalisation(25),
      seed: 1,
      threads: 1,
    });
    for (let i = 0; i < 30; i++) learner.addDemonstration((await rollout(task, 5000 + i, toCorner)).episode);
    const actor = await learnOnline(learner, task, 2500, 5);
    const expert = await meanReturn(task, toCorner);
    const still = await meanReturn(task, () => 0);
    expect(still).toBeLessThan(0.3 * expert);
    expect(await meanReturn(task, greedy(actor))).toBeGreaterThan(0.95 * expert);

    // The recovered reward of staying, averaged over the corners and over all other cells.
    const stay = (cells: readonly number[]): Episode => ({
      length: cells.length - 1,
      observations: Float32Array.from(cells.flatMap((s) => Array.from({ length: 25 }, (_, i) => Number(i === s)))),
      actions: Float32Array.from(cells.slice(1).flatMap(() => [1, 0, 0, 0, 0])),
      terminated: false,
    });
    const average = async (cell: number): Promise<number> => (await learner.recoverRewards(stay([cell, cell])))[0]!;
    const middle = await Promise.all([6, 12, 18].map(average));
    for (const corner of [0, 24]) expect(await average(corner)).toBeGreaterThan(Math.max(...middle));
    await actor.dispose();
    await learner.dispose();
    task.close();
  });

  it.each([
    ['online', {}],
    ['offline, from the demonstration alone', { online: false, valueTerm: 'value_expert', divergence: 'chi2-expert' }],
  ] as const)('learns to balance the pole from one demonstration, %s', async (_, changes) => {
    const task = await createTask('cartpole');
    const { episode } = await rollout(task, 5000, balance);
    expect(episode.length).toBe(500);
    const config = learnerConfig({
      agent: 'iq-soft-q',
      hiddenSizes: [64, 64],
      batchSize: 64,
      temperature: 0.01,
      ...changes,
    });
    const learner = await Learner.create({
      config,
      observation: vectorObservation(4),
      actionSize: 2,
      normalisation: normalisationOf(episode.observations as Float32Array, 4),
      seed: 1,
      threads: 1,
    });
    learner.addDemonstration(episode);
    let actor: Actor;
    if (config.agent === 'iq-soft-q' && config.online) actor = await learnOnline(learner, task, 2500, 2);
    else {
      await learner.update(3000);
      actor = await Actor.create(learner.policyFunction());
    }
    expect(await meanReturn(task, greedy(actor))).toBeGreaterThan(450);
    await actor.dispose();
    await learner.dispose();
    task.close();
  });
});

describe('IQ-Learn with soft Q-learning', () => {
  /** A row of a demonstration: three numbers, one of two actions. */
  const demonstration = (): Episode => {
    const random = new Random(3);
    return {
      length: 20,
      observations: random.fillNormal(new Float32Array(3 * 21)),
      actions: Float32Array.from({ length: 2 * 20 }, (_, i) => Number(i % 2 === 0)),
      terminated: true,
    };
  };
  const cases = divergenceNames.flatMap((divergence) => [true, false].map((layerNorm) => ({ divergence, layerNorm })));

  it.each(cases)('makes the same updates compiled and eager: $divergence, layerNorm $layerNorm', async (settings) => {
    const updated = async (device: 'cpu' | 'wasm'): Promise<Float32Array> => {
      const learner = await Learner.create({
        config: learnerConfig({ agent: 'iq-soft-q', online: false, hiddenSizes: [8], batchSize: 8, ...settings }),
        observation: vectorObservation(3),
        actionSize: 2,
        normalisation: identityNormalisation(3),
        seed: 5,
        device,
        threads: 1,
      });
      learner.addDemonstration(demonstration());
      await learner.update(3);
      const { critic } = learner.parameters();
      await learner.dispose();
      return critic as Float32Array;
    };
    const compiled = await updated('cpu');
    const eager = await updated('wasm');
    expect(compiled.every(Number.isFinite)).toBe(true);
    expect(Math.max(...compiled.map((value, i) => Math.abs(value - eager[i]!)))).toBeLessThan(1e-4);
  });
});
