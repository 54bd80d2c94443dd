import { describe, expect, it } from 'vitest';
import { header, type RecoveredReward, type Transition } from '#src/messages/index.js';
import { RewardSampler } from '#src/nodes/learner/reward-sampler.js';
import type { LearningClient } from '#src/training/index.js';
import { spec } from '../toy.js';

const transition = (sequence: bigint): Transition => ({
  header: header(0n),
  robot: 'trolley',
  session: 's',
  sequence,
  episode: 1,
  step: 0,
  policy_version: 0n,
  intervention: false,
  observation: [1, 2],
  action: [0.5],
  next_observation: [3, 4],
  terminated: true,
  truncated: false,
  reward: Number.NaN,
  blocks: new Uint8Array(),
  next_blocks: new Uint8Array(),
});

describe('the sampler of recovered rewards', () => {
  it('asks for the newest transition, one at a time, and for none twice', async () => {
    const asked: unknown[] = [];
    const answers: ((reward: number) => void)[] = [];
    const client = {
      recoverRewards: (episode: unknown) => {
        asked.push(episode);
        return new Promise((resolve) => {
          answers.push((reward) => resolve({ rewards: Float32Array.of(reward), updates: 7 }));
        });
      },
    } as unknown as LearningClient;
    const told: RecoveredReward[] = [];
    const warnings: string[] = [];
    const sampler = new RewardSampler({
      spec,
      client,
      publish: (reward) => told.push(reward),
      warn: (text) => warnings.push(text),
    });
    const settle = () => new Promise((resolve) => setImmediate(resolve));

    sampler.sample(); // nothing was done yet
    sampler.offer(transition(1n));
    sampler.offer(transition(2n));
    sampler.sample();
    sampler.offer(transition(3n));
    sampler.sample(); // the answer is still awaited
    expect(asked).toEqual([
      { length: 1, observations: Float32Array.of(1, 2, 3, 4), actions: Float32Array.of(0.5), terminated: true },
    ]);
    answers[0]!(0.25);
    await settle();
    expect(told).toMatchObject([{ sequence: 2n, reward: 0.25, updates: 7n }]);
    sampler.sample();
    answers[1]!(-1);
    await settle();
    sampler.sample(); // nothing new
    expect(told.map(({ sequence }) => sequence)).toEqual([2n, 3n]);
    expect(asked.length).toBe(2);
    sampler.offer(transition(4n));
    sampler.sample();
    sampler.close();
    answers[2]!(1);
    await settle();
    expect(told.length).toBe(2);
    expect(warnings).toEqual([]);
  });
});
