import { describe, expect, it } from 'vitest';
import { ActionRange, Random, vectorObservation } from '#src/common/index.js';
import { fillBatch } from '#src/learning/data/batch.js';
import { ReplayBuffer } from '#src/learning/data/replay-buffer.js';
import {
  Actor,
  type Episode,
  identityNormalisation,
  Learner,
  type LearnerSettings,
  learnerConfig,
  normalisationOf,
} from '#src/learning/index.js';
import type { Environment } from '#src/simulation/index.js';
import { EnvironmentTrainer, evaluateOnTask } from '#src/training/index.js';

type Settings = Partial<Extract<LearnerSettings, { agent: 'iq-sac' }>>;

describe('a batch with the absorbing state', () => {
  it('has one row that leads from it to itself for every terminal transition that a buffer holds', () => {
    const buffers = [
      new ReplayBuffer(6, vectorObservation(2), 1),
      new ReplayBuffer(6, vectorObservation(2), 1),
    ] as const;
    const row = { observation: [1, 2], action: [0.5], nextObservation: [3, 4], reward: 0 };
    // Six rows with two terminals among the policy's, six rows without one among the expert's.
    for (let i = 0; i < 6; i++) {
      buffers[0].add({ ...row, terminated: i % 3 === 0 });
      buffers[1].add({ ...row, terminated: false });
    }
    const [policy, expert] = buffers;
    const rows = { policy: 4000, expert: 100, initialStates: 'first', rewards: false } as const;
    const columns = (width: number): Float32Array => new Float32Array(4100 * width);
    const inputs = {
      observations: columns(2),
      actions: columns(1),
      nextObservations: columns(2),
      continues: columns(1),
      absorbing: columns(1),
    };
    const random = { sampling: new Random(1), noise: new Random(2) };
    fillBatch(inputs, vectorObservation(2), rows, { policy, expert, firstStates: [] }, random, 0);
    const drawn = inputs.absorbing.reduce((sum, x) => sum + x, 0);
    expect(drawn / 4000).toBeCloseTo(2 / 8, 1);
    expect(inputs.absorbing.subarray(4000).every((x) => x === 0)).toBe(true);
    inputs.absorbing.forEach((absorbing, i) => {
      const whole = [inputs.observations[2 * i], inputs.actions[i], inputs.nextObservations[2 * i]];
      expect(whole).toEqual(absorbing === 1 ? [0, 0, 0] : [1, 0.5, 3]);
      if (absorbing === 1) expect(inputs.continues[i]).toBe(0);
    });
  });

  it('counts terminals as rows are overwritten and restored', () => {
    const buffer = new ReplayBuffer(3, vectorObservation(1), 1);
    const add = (terminated: boolean): void =>
      buffer.add({ observation: [0], action: [0], nextObservation: [0], terminated });
    for (const terminated of [true, true, false]) add(terminated);
    expect(buffer.terminals).toBe(2);
    add(false);
    expect(buffer.terminals).toBe(1);
    const other = new ReplayBuffer(3, vectorObservation(1), 1);
    other.restore(structuredClone(buffer.contents()));
    expect(other.terminals).toBe(1);
    add(true);
    expect(buffer.terminals).toBe(1);
  });
});

describe('the value of the absorbing state', () => {
  const episode = (last: number): Episode => ({
    length: 2,
    observations: Float32Array.of(0.1, 0.2, 0.3, 0.4, last, last),
    actions: Float32Array.of(0.5, -0.5),
    terminated: true,
  });

  async function rewardsWith(settings: Settings, last = 1): Promise<Float32Array> {
    const learner = await Learner.create({
      config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [8], ...settings }),
      observation: vectorObservation(2),
      actionSize: 1,
      normalisation: identityNormalisation(2),
      seed: 1,
      threads: 1,
    });
    try {
      return await learner.recoverRewards(episode(last));
    } finally {
      await learner.dispose();
    }
  }

  it('is what a true terminal bootstraps from: zero, a number, or the bound of the divergence', async () => {
    const zero = await rewardsWith({ absorbing: 'zero' });
    const number = await rewardsWith({ absorbing: 'number', absorbingValue: -3 });
    const bound = await rewardsWith({ absorbing: 'bound', regMult: 2, gamma: 0.9 });
    const zeroToo = await rewardsWith({ absorbing: 'zero', regMult: 2, gamma: 0.9 });
    // r = Q − γ V: a lower value of what comes after makes the last reward higher, and leaves the others alone.
    expect(number[1]! - zero[1]!).toBeCloseTo(0.99 * 3, 4);
    expect(number[0]).toBe(zero[0]);
    expect(bound[1]! - zeroToo[1]!).toBeCloseTo(0.9 / (2 * (1 - 0.9)), 4);
  });

  it('does not depend on the observation with which an episode ended', async () => {
    for (const absorbing of ['learned', 'bound', 'zero'] as const) {
      expect(await rewardsWith({ absorbing }, 1)).toEqual(await rewardsWith({ absorbing }, -7));
    }
  });
});

/** A pole that stands on its end and is pushed: it ends where it has fallen. Action: torque. */
class Pole implements Environment {
  readonly observation = vectorObservation(2);
  readonly actionRange = new ActionRange([-1], [1]);
  protected state: [number, number, number] = [0, 0, 0];

  reset(seed: number): number[] {
    const random = new Random(seed);
    this.state = [random.uniform(-0.15, 0.15), random.uniform(-0.1, 0.1), 0];
    return this.state.slice(0, 2);
  }

  step(action: ArrayLike<number>) {
    let [angle, speed, t] = this.state;
    speed += 0.05 * (6 * Math.sin(angle) + 8 * action[0]!);
    angle += 0.05 * speed;
    t++;
    this.state = [angle, speed, t];
    const terminated = Math.abs(angle) > 0.5;
    return { observation: [angle, speed], reward: 1, terminated, truncated: t >= 100 };
  }

  snapshot(): Float64Array {
    return Float64Array.from(this.state);
  }

  restore(state: Float64Array): void {
    this.state = [...state] as [number, number, number];
  }
}

/** A cart on a line that ends where it arrives, at 0. Action: force. The reward is −1 a step. */
class Arrival extends Pole {
  override reset(seed: number): number[] {
    this.state = [new Random(seed).uniform(0.5, 1.5), 0, 0];
    return this.state.slice(0, 2);
  }

  override step(action: ArrayLike<number>) {
    let [place, speed, t] = this.state;
    speed = 0.9 * speed + 0.05 * action[0]!;
    place += speed;
    t++;
    this.state = [place, speed, t];
    return { observation: [place, speed], reward: -1, terminated: place <= 0, truncated: t >= 60 };
  }
}

const upright = ([angle, speed]: readonly number[]): number => Math.max(-1, Math.min(1, -2.5 * angle! - 0.6 * speed!));
const forwards = (): number => -0.8;

function demonstrate(environment: Pole, seed: number, act: (observation: readonly number[]) => number): Episode {
  let observation = Array.from(environment.reset(seed));
  const observations = [...observation];
  const actions: number[] = [];
  for (;;) {
    const action = act(observation);
    actions.push(action);
    const result = environment.step([action]);
    observation = Array.from(result.observation);
    observations.push(...observation);
    if (result.terminated || result.truncated)
      return {
        length: actions.length,
        observations: Float32Array.from(observations),
        actions: Float32Array.from(actions),
        terminated: result.terminated,
      };
  }
}

describe('with the absorbing state learned, the defaults imitate', () => {
  async function imitate(make: () => Environment, demonstrations: readonly Episode[], steps: number) {
    const learner = await Learner.create({
      config: learnerConfig({
        agent: 'iq-sac',
        hiddenSizes: [32, 32],
        batchSize: 64,
        gamma: 0.97,
        actorAveraging: 5e-3,
      }),
      observation: vectorObservation(2),
      actionSize: 1,
      normalisation: normalisationOf(demonstrations[0]!.observations as Float32Array, 2),
      seed: 1,
      threads: 1,
    });
    for (const demonstration of demonstrations) learner.addDemonstration(demonstration);
    const training = await EnvironmentTrainer.create({
      learner,
      environment: make(),
      seed: 1,
      randomSteps: 200,
      updateAfter: 200,
      updatesPerStep: 1,
    });
    while (training.steps < steps) await training.step();
    const actor = await Actor.create(learner.policyFunction());
    const results = await evaluateOnTask(actor, make(), { episodes: 20, seed: 1000 });
    await actor.dispose();
    await training.dispose();
    return results;
  }

  it('a demonstrator that never falls, where a fall ends the episode', async () => {
    const demonstrations = [1, 2, 3, 4].map((seed) => demonstrate(new Pole(), seed, upright));
    for (const demonstration of demonstrations) expect(demonstration).toMatchObject({ length: 100, terminated: false });
    const results = await imitate(() => new Pole(), demonstrations, 2500);
    const lengths = results.map(({ length }) => length);
    expect(lengths.reduce((sum, length) => sum + length, 0) / lengths.length).toBeGreaterThan(95);
  });

  it('a demonstrator who arrives, where arriving ends the episode', async () => {
    const demonstrations = [3, 4].map((seed) => demonstrate(new Arrival(), seed, forwards));
    expect(demonstrations[0]).toMatchObject({ terminated: true });
    const results = await imitate(() => new Arrival(), demonstrations, 2000);
    const expert = [...results.keys()].map((i) => demonstrate(new Arrival(), 1000 + i, forwards).length);
    const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
    expect(Math.max(...results.map(({ length }) => length))).toBeLessThan(60);
    expect(mean(results.map(({ length }) => length))).toBeLessThan(1.15 * mean(expert));
  });
});
