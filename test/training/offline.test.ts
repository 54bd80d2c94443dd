import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import { Actor, type Episode } from '#src/learning/index.js';
import { heldOut } from '#src/training/held-out.js';
import { fromStatesAlone, learnOffline, type OfflineProgress } from '#src/training/index.js';

const spec = vectorObservation(2);

/** A demonstration whose action is 0.8 · tanh(x − y) of what is observed. */
function demonstration(seed: number, length = 60): Episode {
  const random = new Random(seed);
  const observations = Float32Array.from({ length: 2 * (length + 1) }, () => random.normal());
  const actions = Float32Array.from(
    { length },
    (_, t) => 0.8 * Math.tanh(observations[2 * t]! - observations[2 * t + 1]!),
  );
  return { length, observations, actions, terminated: false };
}

describe('what is held out', () => {
  const demonstrations = (n: number): Episode[] => Array.from({ length: n }, (_, i) => demonstration(i));

  it.each([
    [2, 1],
    [4, 1],
    [5, 1],
    [10, 2],
    [12, 2],
  ])('of %i demonstrations are %i whole ones', (n, count) => {
    const { learn, test, kind } = heldOut(demonstrations(n), spec);
    expect([learn.length, test.length, kind]).toEqual([n - count, count, 'episodes']);
    expect(learn.some((episode) => test.includes(episode))).toBe(false);
  });

  it('of a single one is its end, without a step in both parts', () => {
    const whole = demonstration(3);
    const { learn, test, kind } = heldOut([whole], spec);
    expect(kind).toBe('end of the demonstration');
    expect(learn[0]!.length + test[0]!.length).toBe(60);
    expect([...learn[0]!.actions, ...test[0]!.actions]).toEqual([...whole.actions]);
    const last = test[0]!.observations as Float32Array;
    expect([...last.subarray(-2)]).toEqual([...(whole.observations as Float32Array).subarray(-2)]);
  });

  it('of too little is refused', () => {
    expect(() => heldOut([demonstration(0, 20)], spec)).toThrow(/one demonstration of 20 steps.*at least 50 steps/);
    expect(() => heldOut([], spec)).toThrow(/no step/);
  });
});

describe('learning offline', () => {
  const episodes = Array.from({ length: 5 }, (_, i) => demonstration(10 + i));
  const common = { episodes, observation: spec, actionSize: 1, seed: 1, threads: 1 };

  it('takes the algorithm whose actions are nearer on what was held out, and gives a policy that acts as was shown', async () => {
    const progress: OfflineProgress[] = [];
    const outcome = await learnOffline({
      ...common,
      updates: 900,
      settings: { hiddenSizes: [32, 32], batchSize: 64 },
      onProgress: (each) => progress.push(each),
    });
    const { candidates, chosen, constantError } = outcome;
    expect(candidates.map(({ agent }) => agent)).toEqual(['iq-sac', 'cloning']);
    for (const { agent, error } of candidates) {
      const seen = progress.filter((each) => each.agent === agent && !each.final).map((each) => each.error!);
      expect(seen).toHaveLength(10);
      expect(error).toBe(Math.min(...seen));
      // IQ-Learn and cloning alike are far better than the mean action.
      expect(error).toBeLessThan(0.6 * constantError);
    }
    expect(chosen.error).toBe(Math.min(...candidates.map(({ error }) => error)));
    const actor = await Actor.create(outcome.policy);
    const [right] = await actor.act([1, 0]);
    const [left] = await actor.act([0, 1]);
    expect(right).toBeCloseTo(0.8 * Math.tanh(1), 0.7);
    expect(left).toBeCloseTo(-0.8 * Math.tanh(1), 0.7);
    await actor.dispose();
  }, 180_000);

  it('ends when it is interrupted', async () => {
    await expect(learnOffline({ ...common, updates: 600, signal: AbortSignal.abort() })).rejects.toThrow(/interrupted/);
  });
});

describe('from states alone', () => {
  it('the learner acts, starts from no cloned policy, and takes initial states where its own actions stand in', () => {
    const settings = { agent: 'iq-sac', online: false, warmStartUpdates: 500 } as const;
    expect(fromStatesAlone(settings, 'inverse-dynamics')).toEqual({
      agent: 'iq-sac',
      online: true,
      warmStartUpdates: 0,
      expertActions: 'inverse-dynamics',
    });
    expect(fromStatesAlone(settings, 'policy')).toMatchObject({ expertActions: 'policy', valueTerm: 'v0' });
    expect(() => fromStatesAlone({ agent: 'cloning' }, 'policy')).toThrow(/cannot learn from observations alone/);
  });
});
