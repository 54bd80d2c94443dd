import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Transition } from '#src/messages/index.js';
import { PolicyNode, SimulatorNode } from '#src/nodes/index.js';
import { decodeBundle, type PolicyBundle, type PolicyRuntime } from '#src/policy/index.js';
import { diagnosed, Rig, Trolley, trolleyBundle, until } from './toy.js';

let rig: Rig;
let task: Trolley;
let transitions: Transition[];

beforeEach(() => {
  rig = new Rig();
  task = new Trolley();
  transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
});
afterEach(() => rig.close());

const simulator = (repeatMs = 20): SimulatorNode =>
  rig.start(new SimulatorNode(rig.context('simulator'), task, { repeatMs }));
/** Waits until the simulator has published its state three more times without an answer: time in which a command could come. */
const unanswered = async (node: SimulatorNode): Promise<void> => {
  const count = Number(diagnosed(node, 'states_repeated'));
  await until(() => Number(diagnosed(node, 'states_repeated')) >= count + 3, 'states without an answer');
};
const home = async (version = 1): Promise<PolicyRuntime> => decodeBundle(await trolleyBundle(version));
const publish = (bundle: PolicyBundle, version: number, robot = 'trolley', epoch = 1n): void => {
  const head = { stamp: { sec: 0, nanosec: 0 }, frame_id: '' };
  const { model, manifest } = bundle;
  const message = { header: head, robot, epoch, version: BigInt(version), model, manifest };
  rig.say('/policy', 'iq_learn/msg/PolicyBundle', message, true);
};

describe('the policy node while its policy learns', () => {
  it('explores by its seed alone: the policy sampled, or random actions without one', async () => {
    const run = async (parameters: object, initial?: PolicyRuntime): Promise<number[]> => {
      const own = new Rig();
      const trolley = new Trolley();
      const seen = own.listen('/transitions', 'iq_learn/msg/Transition');
      own.start(new SimulatorNode(own.context('simulator'), trolley));
      own.start(new PolicyNode(own.context('policy'), parameters, initial));
      await own.startEpisode('/simulator/start_episode', 6);
      await until(() => seen.at(-1)?.terminated === true || seen.at(-1)?.truncated === true, 'the end');
      await own.close();
      return trolley.actions;
    };
    const random = await run({ explore: 'random', seed: 1 });
    expect(random.every((action) => Math.abs(action) <= 1)).toBe(true);
    expect(new Set(random).size).toBe(40);
    expect(await run({ explore: 'random', seed: 1 })).toEqual(random);
    expect(await run({ explore: 'random', seed: 2 })).not.toEqual(random);
    const sampled = await run({ stochastic: true, seed: 1 }, await home());
    expect(await run({ stochastic: true, seed: 1 }, await home())).toEqual(sampled);
    expect(sampled).not.toEqual(await run({}, await home()));

    const begun = await run({ stochastic: true, randomSteps: 5, seed: 1 }, await home());
    expect(begun.slice(0, 5)).toEqual(random.slice(0, 5));
    expect(begun[5]).not.toBe(random[5]);
  });

  it('says of its first random steps that no policy chose them', async () => {
    simulator();
    rig.start(new PolicyNode(rig.context('policy'), { randomSteps: 3 }, await home()));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length >= 5, 'five transitions');
    expect(transitions.slice(0, 5).map(({ policy_version }) => policy_version)).toEqual([-1n, -1n, -1n, 1n, 1n]);
  });

  it('waits for the policy of the segment before, at exactly that step, whenever it comes', async () => {
    const robot = simulator();
    const node = rig.start(
      new PolicyNode(rig.context('policy'), { explore: 'random', synchronousSegment: 10, transitionLimit: 40 }),
    );
    publish(await trolleyBundle(0, 4), 0);
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length === 20, 'two segments');
    await unanswered(robot);
    expect(transitions.length).toBe(20);
    publish(await trolleyBundle(1, -4), 1);
    publish(await trolleyBundle(2, 4), 2); // already there when the next boundary comes
    await until(() => transitions.length === 40, 'all segments');
    expect(transitions.map(({ policy_version }) => policy_version)).toEqual(
      [-1n, 0n, 1n, 2n].flatMap((version) => Array.from({ length: 10 }, () => version)),
    );
    await rig.startEpisode('/simulator/start_episode', 6);
    await unanswered(robot); // the limit holds in a new episode, too
    expect(transitions.length).toBe(40);
    expect(node.fault).toBeUndefined();
  });

  it('gives up with a clear word where the learner does not answer', async () => {
    simulator();
    const node = rig.start(
      new PolicyNode(rig.context('policy'), { explore: 'random', synchronousSegment: 10, segmentTimeoutMs: 30 }),
    );
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => node.fault !== undefined, 'the fault');
    expect(node.fault).toMatchObject({ code: 'TIMEOUT' });
    expect(node.fault!.message).toMatch(/policy version 0 has not come.*check that the learner runs/);
    expect(transitions.length).toBe(10);
  });
});
