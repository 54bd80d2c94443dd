import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import { compile } from '#src/engine/index.js';
import {
  Actor,
  createAgent,
  type Episode,
  identityNormalisation,
  Learner,
  type LearnerSettings,
  learnerConfig,
  mlpLayout,
  policyGaussian,
  splitParameters,
} from '#src/learning/index.js';
import { sampleAction } from '#src/learning/networks/squashed-gaussian.js';

/**
 * A ring of twelve cells, seen as a point on a circle. Actions stay, go on, and go back. Whoever demonstrates goes on,
 * round and round; the actions of the demonstration are not given: zeros stand in their place.
 */
const CELLS = 12;
const seen = (cell: number): number[] => [
  Math.cos((2 * Math.PI * cell) / CELLS),
  Math.sin((2 * Math.PI * cell) / CELLS),
];
const moved = (cell: number, action: number): number => (cell + [0, 1, -1][action]! + CELLS) % CELLS;
const oneHot = (index: number): number[] => [0, 1, 2].map((i) => Number(i === index));

const round: Episode = {
  length: 36,
  observations: Float32Array.from(Array.from({ length: 37 }, (_, t) => seen(t % CELLS)).flat()),
  actions: new Float32Array(36 * 3),
  terminated: false,
};

/** The share of cells in which the policy goes on. */
async function goesOn(learner: Learner): Promise<number> {
  const actor = await Actor.create(learner.policyFunction());
  let right = 0;
  for (let cell = 0; cell < CELLS; cell++) {
    const [stay, on, back] = await actor.act(seen(cell));
    if (on! > Math.max(stay!, back!)) right++;
  }
  await actor.dispose();
  return right / CELLS;
}

async function walk(learner: Learner, steps: number): Promise<void> {
  const actor = await Actor.create(learner.actingPolicy());
  const random = Random.derive(1, 'exploration');
  let cell = 0;
  for (let t = 0; t < steps; t++) {
    const noise = Float32Array.from({ length: 3 }, () => -Math.log(-Math.log(random.uniform(1e-9, 1))));
    const logits = await actor.act(seen(cell), noise);
    const action = t < 100 ? random.integer(3) : logits.indexOf(Math.max(...logits));
    const next = t % 40 === 39 ? random.integer(CELLS) : moved(cell, action);
    // A jump to another cell starts an episode: no transition leads there.
    if (t % 40 !== 39)
      learner.addTransition({
        observation: seen(cell),
        action: oneHot(action),
        nextObservation: seen(next),
        terminated: false,
      });
    cell = next;
    if (t >= 100) {
      await learner.update(1);
      actor.load(learner.actingPolicy());
    }
  }
  await actor.dispose();
}

const common = { observation: vectorObservation(2), normalisation: identityNormalisation(2), seed: 1, threads: 1 };

describe('from states alone, soft Q-learning', () => {
  it('goes round as it was shown, with the actions that a learned model infers', async () => {
    const learner = await Learner.create({
      ...common,
      config: learnerConfig({
        agent: 'iq-soft-q',
        expertActions: 'inverse-dynamics',
        hiddenSizes: [32],
        batchSize: 32,
        gamma: 0.9,
        temperature: 0.02,
      }),
      actionSize: 3,
    });
    learner.addDemonstration(round);
    await walk(learner, 1500);
    expect(await goesOn(learner)).toBeGreaterThanOrEqual(0.9);
    await learner.dispose();
  }, 120_000);

  it('cannot find it out offline, and says so', async () => {
    const config = learnerConfig({ agent: 'iq-soft-q', expertActions: 'policy', online: false });
    await expect(Learner.create({ ...common, config, actionSize: 3 })).rejects.toThrow(/cannot be found out offline/);
  });
});

/** x′ = x + 0.3 a: the expert goes to 0 at half its speed, a = −x / 0.6. Its actions are not given. */
function shown(random: Random): Episode {
  const observations = [random.uniform(-2, 2)];
  while (observations.length <= 20)
    observations.push(observations.at(-1)! - 0.3 * Math.max(-0.9, Math.min(0.9, observations.at(-1)! / 0.6)));
  return {
    length: 20,
    observations: Float32Array.from(observations),
    actions: new Float32Array(20),
    terminated: false,
  };
}

describe('from states alone, soft actor-critic', () => {
  const settings: Partial<LearnerSettings> = { hiddenSizes: [64, 64], batchSize: 64, gamma: 0.95 };

  it('goes to the middle as it was shown, with the actions that a learned model infers', async () => {
    const learner = await Learner.create({
      ...common,
      config: learnerConfig({
        agent: 'iq-sac',
        expertActions: 'inverse-dynamics',
        actorAveraging: 0.01,
        ...settings,
      } as LearnerSettings),
      observation: vectorObservation(1),
      normalisation: identityNormalisation(1),
      actionSize: 1,
    });
    for (let i = 0; i < 3; i++) learner.addDemonstration(shown(Random.derive(i, 'expert')));
    const actor = await Actor.create(learner.actingPolicy());
    const random = Random.derive(0, 'exploration');
    let metrics = {};
    while (learner.transitions < 2000) {
      let x = random.uniform(-2, 2);
      for (let t = 0; t < 20; t++) {
        const [action] = await actor.act([x], random.fillNormal(new Float32Array(1)));
        const next = x + 0.3 * action!;
        learner.addTransition({ observation: [x], action: [action!], nextObservation: [next], terminated: false });
        x = next;
      }
      metrics = await learner.update(20);
      actor.load(learner.actingPolicy());
    }
    actor.load(learner.policyFunction());
    const far: number[] = [];
    for (const start of [-1.8, -1, -0.3, 0.4, 1.1, 1.9]) {
      let x = start;
      for (let t = 0; t < 20; t++) x += 0.3 * (await actor.act([x]))[0]!;
      far.push(Math.abs(x));
    }
    expect(Math.max(...far)).toBeLessThan(0.3);
    expect(metrics).toHaveProperty('train/inverse_dynamics_loss');
    await actor.dispose();
    await learner.dispose();
  }, 120_000);
});

/** One update of an agent on a batch that is given. */
async function updated(settings: LearnerSettings, inputs: (name: string, size: number) => Float32Array) {
  const agent = createAgent(learnerConfig(settings), { observation: 2, action: 3 });
  const { program } = agent;
  const executable = await compile(program, {
    device: 'cpu',
    threads: 1,
    initialState: agent.initialState(new Random(5)),
  });
  const batch = Object.fromEntries(
    Object.entries(program.inputs).map(([name, { shape }]) => [
      name,
      inputs(
        name,
        shape.reduce((n, k) => n * k, 1),
      ),
    ]),
  );
  await executable.run(batch);
  const state = executable.readState();
  await executable.dispose();
  return state;
}

describe('with the actions of the policy in the place of those of the expert (paper §5.4)', () => {
  it('an update is the one on these actions, of soft Q-learning', async () => {
    const common = { agent: 'iq-soft-q', hiddenSizes: [8] as number[], batchSize: 4, absorbing: 'zero' } as const;
    // Rows 0 to 3 are the policy's; noise as large as this decides which action is sampled.
    const sampled = [2, 0, 1, 2].flatMap(oneHot);
    const own = [0, 1, 2, 0].flatMap(oneHot);
    const fixed = (expert: readonly number[]) => (name: string, size: number) =>
      name === 'actions'
        ? Float32Array.from([...own, ...expert])
        : name === 'gumbel'
          ? Float32Array.from([...own, ...sampled], (x) => 1e6 * x)
          : name === 'criticAdam'
            ? Float32Array.from([1e-3, 1e-8])
            : name === 'continues'
              ? new Float32Array(size).fill(1)
              : Float32Array.from({ length: size }, (_, i) => Math.sin(i + name.length));
    const shownActions = await updated(common, fixed(sampled));
    const unseen = await updated({ ...common, expertActions: 'policy' }, fixed(Array.from({ length: 12 }, () => 0)));
    expect(unseen.critic).toEqual(shownActions.critic);
    const others = await updated(common, fixed([0, 2, 2, 1].flatMap(oneHot)));
    expect(others.critic).not.toEqual(shownActions.critic);
  });

  it('an update is the one on these actions, of soft actor-critic', async () => {
    const common = { agent: 'iq-sac', hiddenSizes: [8] as number[], batchSize: 4, absorbing: 'zero' } as const;
    const wave = (name: string, size: number): Float32Array =>
      name.endsWith('Adam')
        ? Float32Array.from([1e-3, 1e-8])
        : name === 'continues'
          ? new Float32Array(size).fill(1)
          : Float32Array.from({ length: size }, (_, i) => 0.5 * Math.sin(i + name.length));
    const config = learnerConfig(common);
    const { actor } = createAgent(config, { observation: 2, action: 3 }).initialState(new Random(5));
    const layout = mlpLayout([2, 8, 6]);
    const sampled = tf.tidy(() => {
      const gaussian = policyGaussian(
        splitParameters(tf.tensor1d(actor as Float32Array), layout),
        tf.tensor2d(wave('observations', 16), [8, 2]),
        [-5, 2],
      );
      return sampleAction(gaussian, tf.tensor2d(wave('noise', 24), [8, 3])).action.dataSync() as Float32Array;
    });
    const own = wave('actions', 24).subarray(0, 12);
    const given = (expert: ArrayLike<number>) => (name: string, size: number) =>
      name === 'actions' ? Float32Array.from([...own, ...Array.from(expert)]) : wave(name, size);
    const shownActions = await updated(common, given(sampled.subarray(12)));
    const unseen = await updated({ ...common, expertActions: 'policy' }, given(new Float32Array(12)));
    const largest = Math.max(...Array.from(unseen.critic!, (x, i) => Math.abs(x - shownActions.critic![i]!)));
    expect(largest).toBeLessThan(1e-5);
    const others = await updated(common, given(new Float32Array(12)));
    expect(Math.max(...Array.from(others.critic!, (x, i) => Math.abs(x - shownActions.critic![i]!)))).toBeGreaterThan(
      1e-4,
    );
  });
});
