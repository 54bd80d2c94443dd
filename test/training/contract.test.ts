import { describe, expect, it } from 'vitest';
import { ActionRange, Random, vectorObservation } from '#src/common/index.js';
import { type Episode, type LearnerSettings, learnerConfig } from '#src/learning/index.js';
import type { Environment } from '#src/simulation/index.js';
import { PendingUpdates, runNormalisation } from '#src/training/contract.js';
import { checkpointSegments, EnvironmentTrainer, runConfig, startLearner } from '#src/training/index.js';
import type { Segment } from '#src/training/process/protocol.js';
import { SegmentTrainer } from '#src/training/segment-trainer.js';

const STEPS = 24;
const UPDATES = 0.75;
/** First steps without an update. */
const RANDOM = 4;
const SEED = 3;

/** Everything that one of the trainers once read and the other did not. */
const settings: LearnerSettings = {
  agent: 'iq-sac',
  hiddenSizes: [8],
  batchSize: 8,
  warmStartUpdates: 20,
  actorDelay: 5,
  actorAveraging: 0.01,
  learningRateFloor: 0.1,
  observationNoise: 0.05,
  observationNoiseFloor: 0.2,
};

/** Observations far from mean 0 and deviation 1, so that the normalisation matters. */
function demonstration(): Episode {
  const random = new Random(1);
  const length = 30;
  return {
    length,
    observations: Float32Array.from({ length: 2 * (length + 1) }, () => 5 + 3 * random.normal()),
    actions: Float32Array.from({ length }, () => random.uniform(-0.9, 0.9)),
    terminated: false,
  };
}

interface Step {
  readonly observation: Float32Array;
  readonly action: Float32Array;
  readonly next: Float32Array;
  readonly terminated: boolean;
}

/** A point on a line, in units that are those of the policy; notes every step. */
class Line implements Environment {
  readonly observation = vectorObservation(2);
  readonly actionRange = new ActionRange([-1], [1]);
  readonly steps: Step[] = [];
  #x = 0;
  #t = 0;

  reset(seed: number): number[] {
    this.#x = new Random(seed).uniform(-1, 1);
    this.#t = 0;
    return [this.#x, 0];
  }

  step(action: ArrayLike<number>) {
    const observation = Float32Array.of(this.#x, this.#t);
    this.#x += 0.5 * action[0]!;
    this.#t++;
    const next = Float32Array.of(this.#x, this.#t);
    const terminated = this.#t === 7;
    this.steps.push({ observation, action: Float32Array.from(action), next, terminated });
    return { observation: next, reward: 0, terminated, truncated: false };
  }

  snapshot(): Float64Array {
    return Float64Array.of(this.#x, this.#t);
  }

  restore(): void {
    throw new Error('not needed here');
  }
}

const segment = ({ observation, action, next, terminated }: Step): Segment => ({
  length: 1,
  observations: observation,
  actions: action,
  nextObservations: next,
  terminated: Uint8Array.of(terminated ? 1 : 0),
  demonstrated: new Uint8Array(1),
});

const feature = (name: string) => ({ name, unit: '1', low: -1, high: 1 });

describe('one file of settings', () => {
  it('is one algorithm for both trainers: the same data give the same parameters bit for bit', async () => {
    const config = runConfig(settings, { steps: STEPS, updatesPerTransition: UPDATES });
    const demonstrations = [demonstration()];
    const environment = new Line();
    const onTask = await EnvironmentTrainer.create({
      learner: await startLearner({
        config,
        observation: vectorObservation(2),
        actionSize: 1,
        seed: SEED,
        demonstrations,
        threads: 1,
      }),
      environment,
      seed: SEED,
      randomSteps: STEPS, // its own actions then depend on the seed alone
      updateAfter: RANDOM,
      updatesPerStep: UPDATES,
    });
    for (let i = 0; i < STEPS; i++) await onTask.step();

    const onRobot = await SegmentTrainer.create(
      {
        config,
        contract: { robot: 'line', rateHz: 10, observation: [feature('x'), feature('t')], action: [feature('u')] },
        seed: SEED,
        demonstrations,
        updatesPerTransition: UPDATES,
        randomSteps: RANDOM,
        threads: 1,
      },
      () => undefined,
    );
    await onRobot.start();
    for (const step of environment.steps) {
      onRobot.add(segment(step));
      await onRobot.update(Number.POSITIVE_INFINITY);
      await onRobot.progress();
    }
    expect(onTask.learner.updates).toBe((STEPS - RANDOM) * UPDATES);
    expect(onRobot.learner.updates).toBe((STEPS - RANDOM) * UPDATES);
    expect(onRobot.learner.parameters()).toEqual(onTask.learner.parameters());
    // Networks, moments, both buffers and the random generators.
    expect(onRobot.learner.checkpoint()).toEqual(onTask.learner.checkpoint());
    await onTask.dispose();
    await onRobot.dispose();
  });

  it('ends its schedules with the last update of the run, unless it says otherwise', () => {
    expect(runConfig(settings, { steps: 1000, updatesPerTransition: 0.5 }).decayUpdates).toBe(500);
    expect(runConfig(settings, { steps: 1, updatesPerTransition: 0.1 }).decayUpdates).toBe(1);
    const given = runConfig({ ...settings, decayUpdates: 7 }, { steps: 1000, updatesPerTransition: 1 });
    expect(given).toEqual(learnerConfig({ ...settings, decayUpdates: 7 }));
  });

  it('starts the actor from cloning only where it says so', async () => {
    const demonstrations = [demonstration()];
    const start = async (warmStartUpdates: number) => {
      const config = runConfig({ ...settings, warmStartUpdates }, { steps: 10, updatesPerTransition: 1 });
      const learner = await startLearner({
        config,
        observation: vectorObservation(2),
        actionSize: 1,
        seed: 1,
        demonstrations,
      });
      const { actor } = learner.parameters();
      expect(learner.expertTransitions).toBe(30);
      await learner.dispose();
      return actor;
    };
    const [cold, warm] = [await start(0), await start(20)];
    expect(warm).not.toEqual(cold);
  });
});

describe('the parts of the contract', () => {
  it('refuse to learn from demonstrations where there are none, and ask an agent that learns from rewards for none', async () => {
    const options = { observation: vectorObservation(2), actionSize: 1, seed: 1, demonstrations: [], threads: 1 };
    await expect(startLearner({ ...options, config: learnerConfig(settings) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      what: 'there is nothing to learn from',
    });
    const config = learnerConfig({ agent: 'sac', hiddenSizes: [8], batchSize: 8 });
    await (await startLearner({ ...options, config })).dispose();
  });

  it('normalises by all observations of the demonstrations, and not at all without any', () => {
    expect(runNormalisation([], vectorObservation(2))).toEqual({
      mean: new Float32Array(2),
      scale: Float32Array.of(1, 1),
    });
    const { mean } = runNormalisation([demonstration(), demonstration()], vectorObservation(2));
    for (const value of mean) expect(Math.abs(value - 5)).toBeLessThan(2);
    const left = runNormalisation([demonstration()], vectorObservation(2, 'none'));
    expect(left).toEqual({ mean: new Float32Array(2), scale: Float32Array.of(1, 1) });
  });

  it('adds up fractions of updates without losing one to rounding', () => {
    const pending = new PendingUpdates();
    let made = 0;
    for (let i = 0; i < 1000; i++) {
      pending.pay(1, 0.1);
      made += pending.whole;
      pending.made(pending.whole);
    }
    expect(made).toBe(100);
  });

  it('writes a checkpoint about every 2000 steps', () => {
    expect([100, 150, 5000].map(checkpointSegments)).toEqual([20, 13, 1]);
  });
});
