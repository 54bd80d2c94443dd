import { describe, expect, it } from 'vitest';
import { header, type Transition } from '#src/messages/index.js';
import { PolicyNode, SimulatorNode } from '#src/nodes/index.js';
import { SequenceTracker } from '#src/nodes/kit/sequence-tracker.js';
import { decodeBundle } from '#src/policy/index.js';
import type { FaultPlan } from '#src/transport/index.js';
import { diagnosed, Rig, Trolley, trolleyBundle, until } from '../nodes/toy.js';

/** Drives some episodes over a broker on which things go wrong. */
async function drive(faults: FaultPlan | undefined, seed = 1) {
  const rig = new Rig({ seed, ...(faults === undefined ? {} : { faults }) });
  const task = new Trolley();
  const transitions: Transition[] = [];
  const simulator = rig.start(new SimulatorNode(rig.context('simulator'), task, { repeatMs: 10 }));
  const runtime = await decodeBundle(await trolleyBundle(1));
  const policy = rig.start(new PolicyNode(rig.context('policy'), { stochastic: true, seed: 4 }, runtime));
  rig.transport.subscribe('/transitions', 'iq_learn/msg/Transition', (message) => transitions.push(message));
  for (const start of [6, 3, 8]) {
    await rig.startEpisode('/simulator/start_episode', start);
    await until(() => simulator.status().message === 'waiting for start_episode', 'the end of the episode');
  }
  await new Promise((resolve) => setTimeout(resolve, 150)); // what was held up arrives
  const numbers = {
    published: Number(diagnosed(policy, 'transitions')),
    counters: rig.broker.counters(),
  };
  await rig.close();
  return { actions: task.actions, transitions, ...numbers };
}

const keyOf = ({ episode, step }: Transition): string => `${episode}/${step}`;
const contentOf = ({ header: _, sequence: __, ...content }: Transition) => content;

describe('the loop of simulator and policy on a bad network', () => {
  it('does exactly what it does on a good one: lost, doubled, late and overtaken messages cost time only', async () => {
    const good = await drive(undefined);
    for (const rule of [
      { topics: '*', drop: 0.1 },
      { topics: '*', duplicate: 0.5 },
      { topics: '*', reorder: 0.05 },
      { topics: '*', delay: { probability: 0.1, minMs: 1, maxMs: 15 } },
    ]) {
      const bad = await drive({ rules: [{ topics: '/transitions' }, rule] });
      expect(bad.actions, JSON.stringify(rule)).toEqual(good.actions);
      // A last state that is lost, or overtaken by the next episode, costs the last transition; none is made of anything else.
      const same = new Map(good.transitions.map((transition) => [keyOf(transition), contentOf(transition)]));
      for (const transition of bad.transitions) expect(contentOf(transition)).toEqual(same.get(keyOf(transition)));
      expect(new Set(bad.transitions.map(keyOf)).size).toBe(bad.transitions.length);
      expect(bad.transitions.length).toBeGreaterThanOrEqual(good.transitions.length - 3);
    }
  });

  it('fault F13, F14: a lost transition is a gap in the numbers, a doubled one is seen: nothing is taken twice', async () => {
    const { transitions, published, counters } = await drive({
      rules: [{ topics: '/transitions', drop: 0.2, duplicate: 0.2, reorder: 0.1 }],
    });
    const tracker = new SequenceTracker();
    const taken = transitions.filter(({ sequence }) => tracker.accept(sequence));
    const { dropped, duplicated } = counters.get('/transitions')!.faults;
    expect(dropped).toBeGreaterThan(5);
    expect(new Set(taken.map(({ sequence }) => sequence)).size).toBe(taken.length);
    expect(taken.length).toBe(published - dropped);
    expect(transitions.length - taken.length).toBe(duplicated);
    // Each is whole in itself, so none reaches across a gap.
    for (const { observation, action, next_observation } of taken)
      expect(next_observation[0]).toBeCloseTo(observation[0]! + action[0]! / 20, 5);
  });
});

describe('fault F17: a partition', () => {
  it('between policy and learner leaves the robot driving; the newest policy comes when it is over', async () => {
    const rig = new Rig();
    const task = new Trolley();
    rig.start(new SimulatorNode(rig.context('simulator'), task));
    const node = rig.start(new PolicyNode(rig.context('policy'), {}, await decodeBundle(await trolleyBundle(1, 4))));
    rig.broker.partition('/policy', true);
    for (const version of [2, 3]) {
      const { model, manifest } = await trolleyBundle(version);
      const message = { header: header(0n), robot: 'trolley', epoch: 1n, version: BigInt(version), model, manifest };
      rig.say('/policy', 'iq_learn/msg/PolicyBundle', message, true);
    }
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => task.steps === 40, 'the robot driving');
    expect(diagnosed(node, 'policy')).toMatch(/^trolley\/1\//);
    rig.broker.partition('/policy', false);
    const adopted = (): boolean => diagnosed(node, 'policy').startsWith('trolley/3/');
    // A policy is adopted between two steps, once it has been checked.
    for (let episode = 0; episode < 50 && !adopted(); episode++) {
      await rig.startEpisode('/simulator/start_episode', 6);
      await until(() => task.steps === 40, 'the robot driving');
    }
    expect(adopted()).toBe(true);
    await rig.close();
  });
});
