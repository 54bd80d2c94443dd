import { describe, expect, it } from 'vitest';
import { ActionRange, Random, vectorObservation } from '#src/common/index.js';
import { loadInference } from '#src/engine/index.js';
import { type Episode, Learner, type LearnerSettings, learnerConfig } from '#src/learning/index.js';

const random = new Random(4);
const [o, a, n] = [3, 2, 6];
const episode = (discrete: boolean): Episode => ({
  length: n,
  observations: Float32Array.from({ length: (n + 1) * o }, () => random.normal()),
  actions: Float32Array.from({ length: n * a }, (_, i) =>
    discrete ? Number(i % a === Math.floor(i / a) % a) : random.uniform(-0.9, 0.9),
  ),
  terminated: true,
});

async function learnerOf(settings: LearnerSettings): Promise<Learner> {
  return Learner.create({
    config: learnerConfig({ hiddenSizes: [16], ...settings } as LearnerSettings),
    observation: vectorObservation(o),
    actionSize: a,
    normalisation: { mean: Float32Array.of(0.5, -1, 0), scale: Float32Array.of(2, 1, 0.5) },
    seed: 3,
    threads: 1,
  });
}

/** The exported model's reward of every step of an episode, with its actions in units. */
async function exported(learner: Learner, steps: Episode, range?: ActionRange, samples = 8): Promise<number[]> {
  const model = await loadInference(await learner.exportReward({ samples, ...(range === undefined ? {} : { range }) }));
  const observations = steps.observations as Float32Array;
  const rewards: number[] = [];
  for (let t = 0; t < n; t++) {
    const action = steps.actions.subarray(t * a, (t + 1) * a);
    const { reward } = await model.run({
      observation: observations.subarray(t * o, (t + 1) * o),
      action: range === undefined ? action : Float32Array.from(range.toUnits(action)),
      next_observation: observations.subarray((t + 1) * o, (t + 2) * o),
      terminated: Float32Array.of(Number(t === n - 1)),
    });
    rewards.push(reward![0]!);
  }
  await model.dispose();
  return rewards;
}

describe('the exported reward', () => {
  it('is the recovered one, of soft Q-learning', async () => {
    const learner = await learnerOf({ agent: 'iq-soft-q' });
    const steps = episode(true);
    const recovered = await learner.recoverRewards(steps);
    (await exported(learner, steps)).forEach((reward, t) => {
      expect(reward).toBeCloseTo(recovered[t]!, 5);
    });
    expect(new Set(recovered).size).toBe(n);
    await learner.dispose();
  });

  it.each(['iq-sac', 'dac'] as const)('is the recovered one with actions in units, of %s', async (agent) => {
    const learner = await learnerOf({ agent });
    const steps = episode(false);
    const range = new ActionRange([-3, 0], [3, 10]);
    const recovered = await learner.recoverRewards(steps, 256);
    // Both are means over 256 actions of the policy, of noise of their own.
    (await exported(learner, steps, range, 256)).forEach((reward, t) => {
      expect(Math.abs(reward - recovered[t]!)).toBeLessThan(agent === 'dac' ? 1e-4 : 0.02);
    });
    expect(await learner.exportReward()).toEqual(await learner.exportReward());
    await learner.dispose();
  });

  it('is refused for an agent that recovers none', async () => {
    const learner = await learnerOf({ agent: 'sac' });
    expect(() => learner.exportReward()).toThrow(/recovers no reward/);
    await learner.dispose();
  });
});
