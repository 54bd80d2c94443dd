import { describe, expect, it } from 'vitest';
import { ActionRange, IqLearnError, Random, vectorObservation } from '#src/common/index.js';
import {
  Actor,
  behaviouralCloning,
  cloningSettingsOf,
  type Episode,
  identityNormalisation,
  Learner,
  type LearnerConfig,
  type LearnerSettings,
  learnerConfig,
  normalisationOf,
} from '#src/learning/index.js';
import { divergenceNames } from '#src/learning/losses/divergences.js';
import type { Environment } from '#src/simulation/index.js';
import { EnvironmentTrainer, evaluateOnTask } from '#src/training/index.js';

type Settings = Partial<Extract<LearnerSettings, { agent: 'iq-sac' }>>;

const small: Settings = { hiddenSizes: [16, 16], batchSize: 16, bufferSize: 1000 };

function episode(seed: number, length: number, terminated: boolean, o = 3, a = 2): Episode {
  const random = new Random(seed);
  const uniform = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.uniform(-1, 1));
  return { length, observations: uniform((length + 1) * o), actions: uniform(length * a), terminated };
}

/** `beyond` are settings out of their bounds, which nobody can give. */
async function learnerWith(settings: Settings = {}, seed = 1, beyond: Settings = {}): Promise<Learner> {
  return Learner.create({
    config: { ...learnerConfig({ agent: 'iq-sac', ...small, ...settings }), ...beyond } as LearnerConfig,
    observation: vectorObservation(3),
    actionSize: 2,
    normalisation: identityNormalisation(3),
    seed,
    threads: 1,
  });
}

function fill(learner: Learner, seed = 2, n = 60): void {
  const random = new Random(seed);
  for (let i = 0; i < n; i++) {
    const uniform = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.uniform(-1, 1));
    learner.addTransition({
      observation: uniform(3),
      action: uniform(2),
      nextObservation: uniform(3),
      terminated: i % 20 === 19,
    });
  }
}

describe('the learner', () => {
  it('what is truncated bootstraps, what is terminated does not, for experts and policy alike', async () => {
    const learner = await learnerWith();
    learner.addDemonstration(episode(1, 3, false));
    learner.addDemonstration(episode(2, 3, true));
    const row = { observation: [0, 0, 0], action: [0, 0], nextObservation: [0, 0, 0] };
    learner.addTransition({ ...row, terminated: false });
    learner.addTransition({ ...row, terminated: true });
    const { arrays } = learner.checkpoint();
    expect([...(arrays['expert.continues'] as Float32Array)]).toEqual([1, 1, 1, 1, 1, 0]);
    expect([...(arrays['policy.continues'] as Float32Array)]).toEqual([1, 0]);
    await learner.dispose();
  });

  it('a terminal transition’s target ignores the next state, a truncated one’s depends on it', async () => {
    const lossWith = async (terminated: boolean, next: number): Promise<number> => {
      const learner = await learnerWith({ targetNetwork: false });
      learner.addDemonstration(episode(1, 4, true));
      learner.addTransition({
        observation: [0.1, 0.2, 0.3],
        action: [0, 0],
        nextObservation: [next, next, next],
        terminated,
      });
      const metrics = await learner.update();
      await learner.dispose();
      return metrics['train/reward_policy']!;
    };
    expect(await lossWith(true, 5)).toBe(await lossWith(true, -5));
    expect(await lossWith(false, 5)).not.toBe(await lossWith(false, -5));
  });

  it('one expert row is enough not to fail', async () => {
    const learner = await learnerWith();
    learner.addDemonstration(episode(1, 1, true));
    fill(learner, 3, 1);
    const metrics = await learner.update(5);
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
    await learner.dispose();
  });

  it('the same seed gives the same parameters bit for bit, another seed others', async () => {
    const run = async (seed: number): Promise<Float32Array> => {
      const learner = await learnerWith({ critics: 2 }, seed);
      learner.addDemonstration(episode(1, 40, false));
      fill(learner);
      await learner.update(20);
      const { actor } = learner.parameters();
      await learner.dispose();
      return actor as Float32Array;
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(4)).not.toEqual(first);
  });

  it.each<[string, Settings]>([
    ['the defaults', {}],
    ['one critic, value, no absorbing state', { valueTerm: 'value', absorbing: 'zero', layerNorm: false, beta1: 0.9 }],
    ['three critics, the minimum', { critics: 3 }],
    ['three critics, the mean', { critics: 3, criticReduction: 'mean' }],
    ['a bound as the absorbing value', { absorbing: 'bound' }],
    ...divergenceNames.map((divergence): [string, Settings] => [`the divergence ${divergence}`, { divergence }]),
    ['offline, Wasserstein', { online: false, divergence: 'wasserstein' }],
    ['two critics', { critics: 2 }],
    ['value_expert', { valueTerm: 'value_expert' }],
    ['v0 of first states', { valueTerm: 'v0' }],
    ['v0 of all states', { valueTerm: 'v0', initialStates: 'all' }],
    ['no target network', { targetNetwork: false }],
    ['learned temperature, averaged actor', { learnTemperature: true, actorAveraging: 0.01 }],
    ['offline', { online: false, valueTerm: 'value_expert', divergence: 'chi2-expert', targetNetwork: false }],
  ])('cpu and eager agree over 3 updates: %s', async (_, settings) => {
    const run = async (device: 'cpu' | 'wasm') => {
      const learner = await Learner.create({
        config: learnerConfig({ agent: 'iq-sac', ...small, ...settings }),
        observation: vectorObservation(3),
        actionSize: 2,
        normalisation: identityNormalisation(3),
        seed: 5,
        device,
        threads: 1,
      });
      learner.addDemonstration(episode(1, 40, true));
      fill(learner);
      const metrics = await learner.update(3);
      const parameters = learner.parameters();
      await learner.dispose();
      return { metrics, parameters };
    };
    const onnx = await run('cpu');
    const eager = await run('wasm');
    for (const [name, value] of Object.entries(onnx.metrics)) expect(value).toBeCloseTo(eager.metrics[name]!, 4);
    for (const [name, values] of Object.entries(onnx.parameters)) {
      const difference = Math.max(...Array.from(values, (x, i) => Math.abs(x - eager.parameters[name]![i]!)));
      const largest = Math.max(1, ...Array.from(values, Math.abs));
      expect(difference / largest, name).toBeLessThan(1e-5);
    }
  });

  it('a learned temperature rises while the entropy is below its target and falls above it', async () => {
    const temperatureAfter = async (targetEntropy: number): Promise<number> => {
      const learner = await learnerWith({ learnTemperature: true, targetEntropy, temperatureLearningRate: 0.01 });
      learner.addDemonstration(episode(1, 40, false));
      fill(learner);
      const { 'train/temperature': temperature } = await learner.update(20);
      await learner.dispose();
      return temperature!;
    };
    expect(await temperatureAfter(50)).toBeGreaterThan(0.001);
    expect(await temperatureAfter(-50)).toBeLessThan(0.001);
  });

  it('goes on from a checkpoint as if nothing had happened', async () => {
    const learner = await learnerWith({ valueTerm: 'v0', critics: 2 });
    learner.addDemonstration(episode(1, 40, false));
    fill(learner);
    await learner.update(7);
    const checkpoint = structuredClone(learner.checkpoint());
    await learner.update(9);
    const resumed = await Learner.resume(checkpoint, { threads: 1 });
    expect(resumed.updates).toBe(7);
    await resumed.update(9);
    expect(resumed.parameters()).toEqual(learner.parameters());
    expect(resumed.checkpoint()).toEqual(learner.checkpoint());
    await learner.dispose();
    await resumed.dispose();
  });

  it('refuses bad numbers and adds nothing', async () => {
    const learner = await learnerWith();
    const good = { observation: [0, 0, 0], action: [0, 0], nextObservation: [0, 0, 0], terminated: false };
    expect(() => learner.addTransition({ ...good, observation: [0, Number.NaN, 0] })).toThrow(/NaN at index 1/);
    expect(() => learner.addTransition({ ...good, action: [0] })).toThrow(/found: 1 numbers; expected: 2/);
    expect(() =>
      learner.addDemonstration({ ...episode(1, 2, false), actions: Float32Array.of(0, 0, Number.NaN, 0) }),
    ).toThrow(IqLearnError);
    expect(learner.transitions).toBe(0);
    await expect(learner.update()).rejects.toThrow(/nothing to learn from/);
    await learner.dispose();
  });

  it('starts its actor from a cloned one, leaves it alone during the delay, then moves it', async () => {
    const config = learnerConfig({ agent: 'iq-sac', ...small, actorDelay: 5, actorAveraging: 0.5 });
    const demonstration = episode(1, 40, false);
    const normalisation = normalisationOf(demonstration.observations as Float32Array, 3);
    const common = { observation: vectorObservation(3), actionSize: 2, normalisation, seed: 1 };
    const cloned = await behaviouralCloning({
      ...common,
      episodes: [demonstration],
      updates: 50,
      settings: { ...cloningSettingsOf(config), batchSize: 16 },
    });
    const learner = await Learner.create({ ...common, config, threads: 1 });
    learner.addDemonstration(demonstration);
    fill(learner);
    learner.warmStart(cloned);
    expect(learner.policyFunction().constants.actor!.data).toEqual(cloned.constants.actor!.data);
    const critic = learner.parameters().critic;
    await learner.update(5);
    expect(learner.policyFunction().constants.actor!.data).toEqual(cloned.constants.actor!.data);
    expect(learner.parameters().critic).not.toEqual(critic);
    await learner.update(1);
    expect(learner.policyFunction().constants.actor!.data).not.toEqual(cloned.constants.actor!.data);

    const other = await Learner.create({ ...common, config, normalisation: identityNormalisation(3) });
    expect(() => other.warmStart(cloned)).toThrow(/normalises its observations otherwise/);
    await other.dispose();
    await learner.dispose();
  });

  it('observation noise changes what is learned, reproducibly', async () => {
    const run = async (observationNoise: number, floor = 1) => {
      const learner = await learnerWith({ observationNoise, observationNoiseFloor: floor, decayUpdates: 2 });
      learner.addDemonstration(episode(1, 40, false));
      fill(learner);
      await learner.update(3);
      const { critic } = learner.parameters();
      await learner.dispose();
      return critic;
    };
    const noisy = await run(0.1);
    expect(await run(0.1)).toEqual(noisy);
    const quiet = await run(0);
    expect(quiet).not.toEqual(noisy);
    // Half of it in the first update, none from the second on.
    const falling = await run(0.1, 0);
    expect(falling).not.toEqual(noisy);
    expect(falling).not.toEqual(quiet);
  });

  it('observation noise that has fallen to nothing is none', async () => {
    const run = async (observationNoise: number) => {
      const learner = await learnerWith({ observationNoise, observationNoiseFloor: 0, decayUpdates: 1 });
      learner.addDemonstration(episode(1, 40, false));
      fill(learner);
      await learner.update(3);
      const { critic } = learner.parameters();
      await learner.dispose();
      return critic;
    };
    expect(await run(0.5)).toEqual(await run(0));
  });

  it('recovers rewards with the temperature that it has learned', async () => {
    const learner = await learnerWith({ learnTemperature: true, temperatureLearningRate: 0.05, targetEntropy: 50 });
    learner.addDemonstration(episode(1, 40, false));
    fill(learner);
    await learner.update(30);
    const temperature = Math.exp(learner.parameters().temperature![0]!);
    expect(temperature).toBeGreaterThan(2e-3);
    // A learner with the same networks, and with that temperature as a setting.
    const { meta, arrays } = structuredClone(learner.checkpoint());
    const { learner: saved } = meta as { learner: { config: object } };
    const config = { ...saved.config, learnTemperature: false, temperature };
    const fixed = await Learner.resume({ meta: { learner: { ...saved, config } }, arrays }, { threads: 1 });
    const rewards = await learner.recoverRewards(episode(9, 20, true));
    for (const [i, reward] of (await fixed.recoverRewards(episode(9, 20, true))).entries())
      expect(reward).toBeCloseTo(rewards[i]!, 5);
    await learner.dispose();
    await fixed.dispose();
  });

  it('recovers rewards with as many samples as every call asks for', async () => {
    const learner = await learnerWith({ temperature: 1 });
    const few = await learner.recoverRewards(episode(9, 20, true), 1);
    const many = await learner.recoverRewards(episode(9, 20, true), 64);
    expect(many).not.toEqual(few);
    expect(await learner.recoverRewards(episode(9, 20, true), 1)).toEqual(few);
    await learner.dispose();
  });

  it('logs only what its agent has: no rewards of an expert in SAC, none of the policy offline', async () => {
    const namesOf = async (learner: Learner): Promise<string[]> => {
      learner.addDemonstration(episode(1, 40, false));
      const names = Object.keys(await learner.update());
      await learner.dispose();
      return names;
    };
    expect(await namesOf(await learnerWith({ online: false }))).not.toContain('train/reward_policy');
    const sac = await Learner.create({
      config: learnerConfig({ agent: 'sac', hiddenSizes: [8], batchSize: 8, bufferSize: 100 }),
      observation: vectorObservation(3),
      actionSize: 2,
      normalisation: identityNormalisation(3),
      seed: 1,
      threads: 1,
    });
    sac.addTransition({
      observation: [0, 0, 0],
      action: [0, 0],
      nextObservation: [0, 0, 0],
      terminated: false,
      reward: 1,
    });
    const names = Object.keys(await sac.update());
    expect(names).not.toContain('train/reward_expert');
    expect(names).toContain('train/reward');
    await sac.dispose();
  });

  it('says which metric diverged', async () => {
    const learner = await learnerWith({}, 1, { criticLearningRate: 1e30, actorLearningRate: 1e30 });
    learner.addDemonstration(episode(1, 40, false));
    fill(learner);
    await expect(learner.update(20)).rejects.toMatchObject({
      code: 'DIVERGED',
      found: expect.stringMatching(/train\/\w+ = .*3 times before/),
    });
    await learner.dispose();
  });

  it('goes back to its last good state where it diverges, and learns on at a quarter of the rates', async () => {
    // The critic's first steps at this rate lead far beyond the bound 1 / (c (1 − γ)) = 10; smaller ones do not.
    const learner = await learnerWith({ criticLearningRate: 10, layerNorm: false });
    learner.addDemonstration(episode(1, 40, false));
    fill(learner);
    const first = learner.parameters();
    const metrics: Record<string, number>[] = [];
    while (learner.updates < 300) metrics.push(await learner.update());
    const { rollbacks } = learner;
    expect(rollbacks.length).toBeGreaterThan(0);
    expect(rollbacks[0]).toMatchObject({
      to: 0,
      rates: 0.25,
      reason: expect.stringMatching(/^train\/q = .*beyond -?\d/),
    });
    expect(rollbacks.map(({ rates }) => rates)).toEqual(rollbacks.map((_, i) => 0.25 ** (i + 1)));
    expect(learner.parameters()).not.toEqual(first);
    const resumed = await Learner.resume(learner.checkpoint());
    expect(resumed.rollbacks).toEqual(rollbacks);
    expect(await resumed.update(5)).toEqual(await learner.update(5));
    expect(resumed.parameters()).toEqual(learner.parameters());
    await Promise.all([learner.dispose(), resumed.dispose()]);
  });
});

describe('settings', () => {
  it('name the field that is wrong', () => {
    expect(() => learnerConfig({ agent: 'iq-sac', gamma: 1 })).toThrow(/gamma.*found: 1/);
    expect(() => learnerConfig({ agent: 'iq-sac', gamma: Number.NaN })).toThrow(/gamma.*found: NaN/);
    expect(() => learnerConfig({ agent: 'iq-sac', logStdRange: [2, -5] })).toThrow(/low < high/);
    expect(() => learnerConfig({ agent: 'iq-sac', gama: 0.9 } as never)).toThrow(/gama.*did you mean 'gamma'/);
  });
});

describe('normalisation', () => {
  it('gives rows mean 0 and deviation 1 and leaves constant features their unit', () => {
    const { mean, scale } = normalisationOf(Float32Array.of(1, 5, 3, 5, 5, 5), 2);
    expect([...mean]).toEqual([3, 5]);
    expect(scale[0]).toBeCloseTo(Math.sqrt(8 / 3), 5);
    expect(scale[1]).toBe(1);
  });
});

/** A point on a line: x′ = x + 0.1 v, v′ = v + 0.3 a − friction; the expert is a PD controller to x = 0. */
class PointMass implements Environment {
  readonly observation = vectorObservation(2);
  readonly actionRange = new ActionRange([-2], [2]);
  #x = 0;
  #v = 0;
  #t = 0;

  reset(seed: number): number[] {
    const random = new Random(seed);
    [this.#x, this.#v, this.#t] = [random.uniform(-2, 2), random.uniform(-0.5, 0.5), 0];
    return [this.#x, this.#v];
  }

  step(action: ArrayLike<number>) {
    this.#v = 0.9 * this.#v + 0.3 * action[0]!;
    this.#x += 0.1 * this.#v;
    this.#t++;
    return {
      observation: [this.#x, this.#v],
      reward: -0.1 * Math.min(this.#x ** 2, 4),
      terminated: false,
      truncated: this.#t >= 60,
    };
  }

  snapshot(): Float64Array {
    return Float64Array.of(this.#x, this.#v, this.#t);
  }

  restore([x, v, t]: Float64Array): void {
    [this.#x, this.#v, this.#t] = [x!, v!, t!];
  }
}

/** Action in [−1, 1]. */
const pd = (observation: ArrayLike<number>): number =>
  Math.max(-1, Math.min(1, (-1.5 * observation[0]! - 0.8 * observation[1]!) / 2));

function demonstrate(seed: number): Episode {
  const environment = new PointMass();
  let observation: ArrayLike<number> = environment.reset(seed);
  const observations = [...Array.from(observation)];
  const actions: number[] = [];
  for (let t = 0; t < 60; t++) {
    const action = pd(observation);
    actions.push(action);
    observation = environment.step([2 * action]).observation;
    observations.push(...Array.from(observation));
  }
  return {
    length: 60,
    observations: Float32Array.from(observations),
    actions: Float32Array.from(actions),
    terminated: false,
  };
}

const mean = (results: { return: number }[]): number => results.reduce((sum, r) => sum + r.return, 0) / results.length;
const still = { act: async () => Float32Array.of(0) };
const expertActor = { act: async (observation: ArrayLike<number>) => Float32Array.of(pd(observation)) };

describe('a trivial continuous task', () => {
  const demonstrations = [1, 2, 3].map(demonstrate);
  const normalisation = normalisationOf(demonstrations[0]!.observations as Float32Array, 2);
  const evaluation = { episodes: 20, seed: 1000 };

  it('is learnt by online IQ-Learn in its published form from three demonstrations', async () => {
    const environment = new PointMass();
    const learner = await Learner.create({
      config: learnerConfig({
        agent: 'iq-sac',
        hiddenSizes: [32, 32],
        batchSize: 64,
        actorLearningRate: 1e-3,
        criticLearningRate: 1e-3,
        valueTerm: 'value',
        regMult: 0.5,
        temperature: 0.01,
        layerNorm: false,
        beta1: 0.9,
        absorbing: 'zero',
        actorAveraging: 0,
      }),
      observation: vectorObservation(2),
      actionSize: 1,
      normalisation,
      seed: 1,
      threads: 1,
    });
    for (const demonstration of demonstrations) learner.addDemonstration(demonstration);
    const training = await EnvironmentTrainer.create({
      learner,
      environment,
      seed: 1,
      randomSteps: 200,
      updateAfter: 200,
      updatesPerStep: 1,
    });
    while (training.steps < 2500) await training.step();
    const actor = await Actor.create(learner.policyFunction());
    const expert = mean(await evaluateOnTask(expertActor, new PointMass(), evaluation));
    const idle = mean(await evaluateOnTask(still, new PointMass(), evaluation));
    const learned = mean(await evaluateOnTask(actor, new PointMass(), evaluation));
    // The share of the way from doing nothing to the expert.
    expect((learned - idle) / (expert - idle)).toBeGreaterThan(0.9);

    // The recovered reward tells the expert's behaviour from a random one.
    const own = await learner.recoverRewards(demonstrations[0]!);
    const random = new Random(3);
    const noise = { ...demonstrations[0]!, actions: demonstrations[0]!.actions.map(() => random.uniform(-1, 1)) };
    const other = await learner.recoverRewards(noise);
    const average = (x: Float32Array): number => x.reduce((a, b) => a + b, 0) / x.length;
    expect(average(own)).toBeGreaterThan(average(other));
    await actor.dispose();
    await training.dispose();
  });

  it('is learnt by SAC from its rewards', async () => {
    const learner = await Learner.create({
      config: learnerConfig({
        agent: 'sac',
        hiddenSizes: [32, 32],
        batchSize: 64,
        critics: 2,
        gamma: 0.95,
        learnTemperature: true,
        actorLearningRate: 1e-3,
        criticLearningRate: 1e-3,
        temperatureLearningRate: 1e-3,
        tau: 0.01,
      }),
      observation: vectorObservation(2),
      actionSize: 1,
      normalisation,
      seed: 1,
      threads: 1,
    });
    const training = await EnvironmentTrainer.create({
      learner,
      environment: new PointMass(),
      seed: 1,
      randomSteps: 300,
      updateAfter: 300,
      updatesPerStep: 1,
    });
    while (training.steps < 3000) await training.step();
    const actor = await Actor.create(learner.policyFunction());
    const learned = mean(await evaluateOnTask(actor, new PointMass(), evaluation));
    const expert = mean(await evaluateOnTask(expertActor, new PointMass(), evaluation));
    const idle = mean(await evaluateOnTask(still, new PointMass(), evaluation));
    expect((learned - idle) / (expert - idle)).toBeGreaterThan(0.9);
    await actor.dispose();
    await training.dispose();
  });

  it.each(['mse', 'nll'] as const)('is cloned behaviourally (%s)', async (loss) => {
    const policy = await behaviouralCloning({
      episodes: demonstrations,
      observation: vectorObservation(2),
      actionSize: 1,
      seed: 1,
      settings: { hiddenSizes: [32, 32], loss, batchSize: 64 },
      updates: 1500,
    });
    const actor = await Actor.create(policy);
    const learned = mean(await evaluateOnTask(actor, new PointMass(), evaluation));
    const expert = mean(await evaluateOnTask(expertActor, new PointMass(), evaluation));
    const idle = mean(await evaluateOnTask(still, new PointMass(), evaluation));
    expect((learned - idle) / (expert - idle)).toBeGreaterThan(0.9);
    await actor.dispose();
  });

  it('training in the middle of an episode resumes bit for bit', async () => {
    const start = async (): Promise<EnvironmentTrainer> => {
      const learner = await learnerOf();
      for (const demonstration of demonstrations) learner.addDemonstration(demonstration);
      return EnvironmentTrainer.create({
        learner,
        environment: new PointMass(),
        seed: 3,
        randomSteps: 20,
        updateAfter: 10,
        updatesPerStep: 0.5,
      });
    };
    const learnerOf = (): Promise<Learner> =>
      Learner.create({
        config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [8], batchSize: 8, bufferSize: 50 }),
        observation: vectorObservation(2),
        actionSize: 1,
        normalisation,
        seed: 3,
        threads: 1,
      });
    const whole = await start();
    for (let i = 0; i < 77; i++) await whole.step();
    const resumed = await EnvironmentTrainer.resume(structuredClone(await whole.checkpoint()), new PointMass(), {
      threads: 1,
    });
    for (let i = 0; i < 100; i++) {
      await whole.step();
      await resumed.step();
    }
    expect(await resumed.checkpoint()).toEqual(await whole.checkpoint());
    await whole.dispose();
    await resumed.dispose();
  });
});
