import { describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import { type ArrayRecord, compile } from '#src/engine/index.js';
import {
  Actor,
  agentDefinition,
  agentNames,
  createAgent,
  identityNormalisation,
  Learner,
  learnerConfig,
} from '#src/learning/index.js';

const settings = { agent: 'iq-sac', hiddenSizes: [32, 32], batchSize: 4, bufferSize: 1000, layerNorm: true } as const;
const sizes = { observation: 3, action: 2 };
const single = createAgent(learnerConfig(settings), sizes);
const double = createAgent(learnerConfig({ ...settings, members: 2 }), sizes);

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** A batch of one member, of numbers that are drawn. */
function batchOf(random: Random): Record<string, Float32Array> {
  const drawn = Object.entries(single.program.inputs).map(([name, { shape }]) => {
    const numbers = random.fillNormal(new Float32Array(size(shape)));
    return [
      name,
      name === 'continues' || name === 'absorbing' ? numbers.map((x) => (x > 0 ? 1 : 0)) : numbers,
    ] as const;
  });
  const adam = Object.entries(single.adam).map(([name, at]) => {
    const { step, epsilon } = at(1);
    return [name, Float32Array.of(step, epsilon)] as const;
  });
  return Object.fromEntries([...drawn, ...adam]);
}

/** Both members' rows in one batch: the policy's rows of both, then the expert's of both. */
function together(batches: readonly Record<string, Float32Array>[]): ArrayRecord {
  const names = Object.keys(single.program.inputs);
  return Object.fromEntries(
    names.map((name) => {
      const parts = batches.map((batch) => batch[name]!);
      if (single.adam[name] !== undefined) return [name, parts[0]!];
      const [policy, expert] = [0, 1].map((half) =>
        parts.flatMap((part) => [...part.slice((half * part.length) / 2, ((half + 1) * part.length) / 2)]),
      );
      return [name, Float32Array.from([...policy!, ...expert!])];
    }),
  );
}

const prefixed = (state: ArrayRecord, i: number): ArrayRecord =>
  Object.fromEntries(Object.entries(state).map(([name, values]) => [`member${i}_${name}`, values]));

async function learnerOf(members: number): Promise<Learner> {
  const learner = await Learner.create({
    config: learnerConfig({ ...settings, members }),
    observation: vectorObservation(3),
    actionSize: 2,
    normalisation: identityNormalisation(3),
    seed: 5,
    threads: 1,
  });
  const random = new Random(7);
  const uniform = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.uniform(-1, 1));
  learner.addDemonstration({ length: 30, observations: uniform(93), actions: uniform(60), terminated: false });
  for (let i = 0; i < 40; i++)
    learner.addTransition({
      observation: uniform(3),
      action: uniform(2),
      nextObservation: uniform(3),
      terminated: i === 9,
    });
  return learner;
}

describe('an agent of two members', () => {
  it('makes for each member, bit for bit, the update that it would make alone with its rows', async () => {
    const random = new Random(1);
    const states = [1, 2].map((seed) => single.initialState(new Random(seed)));
    const batches = [batchOf(random), batchOf(random)];
    const both = await compile(double.program, {
      device: 'cpu',
      initialState: { ...prefixed(states[0]!, 1), ...prefixed(states[1]!, 2) },
      threads: 1,
    });
    const outputs = await both.run(together(batches));
    const alone: ArrayRecord[] = [];
    for (const [i, initialState] of states.entries()) {
      const one = await compile(single.program, { device: 'cpu', initialState, threads: 1 });
      alone.push(await one.run(batches[i]!));
      const found = both.readState();
      for (const [name, values] of Object.entries(one.readState()))
        expect(found[`member${i + 1}_${name}`], name).toEqual(values);
      await one.dispose();
    }
    for (const name of Object.keys(alone[0]!))
      expect(outputs[name]![0]).toBeCloseTo((alone[0]![name]![0]! + alone[1]![name]![0]!) / 2, 5);
    await both.dispose();
  });

  it('begins with other parameters in each member, and acts by the mean of their actions', async () => {
    const state = double.initialState(new Random(3));
    const [first, second] = [1, 2].map((i) => state[`member${i}_actor`] as Float32Array);
    expect(first).not.toEqual(second);
    const normalisation = identityNormalisation(3);
    const joined = Float32Array.from([...first!, ...second!]);
    const policies = [
      double.policy(joined, normalisation),
      ...[first!, second!].map((own) => single.policy(own, normalisation)),
    ];
    const [mean, a, b] = await Promise.all(
      policies.map(async (policy) => {
        const actor = await Actor.create(policy);
        const action = await actor.act(Float32Array.of(0.3, -0.5, 0.9), Float32Array.of(0.2, -0.1));
        await actor.dispose();
        return action;
      }),
    );
    for (let k = 0; k < 2; k++) expect(mean![k]).toBeCloseTo((a![k]! + b![k]!) / 2, 6);
  });

  it('deploys the averages of both, and recovers the mean of their rewards', async () => {
    const learner = await learnerOf(2);
    await learner.update(3);
    const { constants } = learner.policyFunction();
    const state = learner.parameters();
    for (const i of [1, 2]) expect(constants[`member${i}_actor`]!.data).toEqual(state[`member${i}_average`]);
    expect(learner.actingPolicy().constants.member2_actor!.data).toEqual(state.member2_actor);
    const random = new Random(8);
    const observations = random.fillNormal(new Float32Array(12));
    const rewards = await learner.recoverRewards({
      length: 3,
      observations,
      actions: new Float32Array(6),
      terminated: true,
    });
    expect(rewards).toHaveLength(3);
    expect(rewards.every(Number.isFinite)).toBe(true);
    await learner.dispose();
  });

  it('goes on from a checkpoint bit for bit', async () => {
    const [learner, straight] = [await learnerOf(2), await learnerOf(2)];
    await straight.update(6);
    await learner.update(3);
    const resumed = await Learner.resume(learner.checkpoint(), { threads: 1 });
    await resumed.update(3);
    expect(resumed.parameters()).toEqual(straight.parameters());
    for (const each of [learner, straight, resumed]) await each.dispose();
  });

  it('cannot start from one cloned policy', async () => {
    const learner = await learnerOf(2);
    expect(() => learner.warmStart(learner.policyFunction())).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', remedy: 'set warmStartUpdates to 0' }),
    );
    await learner.dispose();
  });
});

it.each(agentNames)('%s may have members: one update, and the action of both', async (agent) => {
  const discrete = agentDefinition({ agent }).actions === 'discrete';
  const learner = await Learner.create({
    config: learnerConfig({ agent, hiddenSizes: [8, 8], batchSize: 4, members: 2 }),
    observation: vectorObservation(3),
    actionSize: 2,
    normalisation: identityNormalisation(3),
    seed: 1,
    threads: 1,
  });
  const action = discrete ? [1, 0] : [0.2, -0.3];
  const demonstration = {
    length: 2,
    observations: new Float32Array(9),
    actions: Float32Array.from([...action, ...action]),
  };
  // SAC and soft Q-learning learn from rewards, not from demonstrations.
  if (!['sac', 'soft-q'].includes(agent)) learner.addDemonstration({ ...demonstration, terminated: false });
  const row = { observation: [0, 0, 0], action, nextObservation: [0.1, 0, 0], terminated: false, reward: 1 };
  for (let i = 0; i < 4; i++) learner.addTransition(row);
  for (const value of Object.values(await learner.update())) expect(value).toSatisfy(Number.isFinite);
  const names = Object.keys(learner.policyFunction().constants);
  expect(names.filter((name) => name.startsWith('member1_')).length).toBe(names.length / 2);
  await learner.dispose();
});

it('an agent of one member is the agent as it was', () => {
  const one = createAgent(learnerConfig({ ...settings, members: 1 }), sizes);
  expect(Object.keys(one.program.state)).toEqual(Object.keys(single.program.state));
});
