import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import type { Transition } from '#src/messages/index.js';
import { ExpertNode, PolicyNode, SimulatorNode } from '#src/nodes/index.js';
import { decodeBundle, type PolicyBundle, type PolicyRuntime } from '#src/policy/index.js';
import { contractOf } from '#src/robot/index.js';
import { diagnosed, driver, Rig, spec, Trolley, trolleyBundle, until } from './toy.js';

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
const runEpisode = async (seed: number): Promise<void> => {
  const { episode } = await rig.startEpisode('/simulator/start_episode', seed);
  await until(() => transitions.at(-1)?.episode === episode && ended(), `the end of episode ${episode}`);
};
const ended = (): boolean => {
  const last = transitions.at(-1);
  return last !== undefined && (last.terminated || last.truncated);
};

describe('the policy node in lockstep', () => {
  it('drives by observation → policy → filter → command and tells exactly what was executed', async () => {
    simulator();
    rig.start(new PolicyNode(rig.context('policy'), { session: 's' }, await home(3)));
    await runEpisode(6);
    const start = 1.6;
    let x = start;
    let v = 0;
    transitions.forEach((transition, k) => {
      expect(transition).toMatchObject({ robot: 'trolley', session: 's', sequence: BigInt(k), episode: 1, step: k });
      expect(transition).toMatchObject({ policy_version: 3n, intervention: false });
      expect(transition.observation[0]).toBeCloseTo(x, 6);
      expect(transition.observation[1]).toBeCloseTo(v, 6);
      expect(transition.action[0]).toBeCloseTo(Math.tanh(-4 * x), 5);
      expect(task.actions[k]).toBe(transition.action[0]);
      v = transition.action[0]!;
      x += v / 20;
      expect(transition.next_observation[0]).toBeCloseTo(x, 5);
      expect(transition.reward).toBeCloseTo(-Math.abs(x), 5);
      expect(transition.terminated).toBe(Math.abs(x) < 0.05);
    });
    expect(transitions.length).toBe(task.actions.length);
    expect(transitions.at(-1)).toMatchObject({ terminated: true, truncated: false });
  });

  it('fault F08: holds until the first policy comes over the wire, and swaps at a step boundary', async () => {
    const robot = simulator();
    const node = rig.start(new PolicyNode(rig.context('policy')));
    await rig.startEpisode('/simulator/start_episode', 6);
    await unanswered(robot);
    expect(task.actions).toEqual([]);
    publish(await trolleyBundle(1, 4), 1); // away from home: runs the whole 40 steps
    await until(() => transitions.length > 3, 'the first steps');
    publish(await trolleyBundle(2, -4), 2);
    await until(() => transitions.at(-1)?.policy_version === 2n, 'the new policy');
    const versions = transitions.map(({ policy_version }) => policy_version);
    expect([...versions].sort()).toEqual(versions); // first 1, then 2, never back
    for (const { observation, action, policy_version } of transitions)
      expect(Math.sign(action[0]!)).toBe(Math.sign(observation[0]!) * (policy_version === 1n ? 1 : -1));
    expect(diagnosed(node, 'policy')).toMatch(/^trolley\/2\//);
  });

  it('fault F06: refuses a bundle that is altered, of another robot or of an older version; the old one keeps running', async () => {
    simulator();
    const node = rig.start(new PolicyNode(rig.context('policy'), {}, await home(5)));
    await runEpisode(6);
    const good = await trolleyBundle(6);
    const altered = { ...good, model: good.model.slice() };
    altered.model[altered.model.length >> 1]! ^= 1;
    const refused = async (count: number): Promise<string> => {
      await until(() => diagnosed(node, 'policies_refused') === String(count), `refusal ${count}`);
      return diagnosed(node, 'last_refusal');
    };
    publish(altered, 6);
    expect(await refused(1)).toMatch(/SHA-256/);
    publish(good, 6, 'other');
    expect(await refused(2)).toMatch(/another robot; found: robot 'other'; expected: 'trolley'/);
    const { encodeBundle } = await import('#src/policy/index.js');
    const contract = contractOf(spec);
    const imperial = { ...contract, action: [{ ...contract.action[0]!, unit: 'ft/s' }] };
    const policy = {
      observation: vectorObservation(2),
      actionSize: 1,
      constants: {},
      apply: ({ noise }: never) => ({ action: noise }),
    };
    publish(await encodeBundle({ policy: policy as never, contract: imperial, version: 7 }), 7);
    expect(await refused(3)).toMatch(/unit of action\[0\] 'speed' differs; found: ft\/s; expected: m\/s/);
    publish(good, 8);
    expect(await refused(4)).toMatch(/different versions; found: version 6 in the manifest; expected: 8/);
    publish(await trolleyBundle(4), 4);
    await until(() => diagnosed(node, 'policies_outdated') === '1', 'the old version being counted');
    expect(node.status().level).toBe(1);
    await runEpisode(8);
    expect(transitions.at(-1)).toMatchObject({ policy_version: 5n, terminated: true });
    expect(rig.records.filter(({ message }) => message.startsWith('a policy is refused')).length).toBe(4);
    // What was refused may come again whole.
    publish(good, 6);
    await until(() => diagnosed(node, 'last_refusal') === '', 'the good bundle');
    await runEpisode(6);
    expect(transitions.at(-1)!.policy_version).toBe(6n);
  });

  it('fault F28: gives way to a person at the next command, tags it, and takes over again when they let go', async () => {
    const away = await decodeBundle(await trolleyBundle(1, 4));
    simulator(60_000); // a state that is repeated on a busy machine would make the expert repeat its command
    const node = rig.start(new PolicyNode(rig.context('policy'), { teleopWaitMs: 100 }, away));
    rig.start(new ExpertNode(rig.context('expert'), driver, { engaged: false }));
    let engagedAt = -1;
    const engage = (data: boolean) =>
      rig.transport.call('/expert/engage', 'std_srvs/srv/SetBool', { data }, { timeoutMs: 60_000 });
    rig.transport.subscribe('/transitions', 'iq_learn/msg/Transition', ({ step }) => {
      if (step === 5) {
        engagedAt = step;
        void engage(true);
      }
      if (step === 15) void engage(false);
    });
    await runEpisode(6);
    expect(engagedAt).toBe(5);
    const byPerson = transitions.filter(({ intervention }) => intervention);
    expect(byPerson.length).toBeGreaterThanOrEqual(8);
    for (const { observation, action, policy_version, intervention } of transitions) {
      expect(policy_version).toBe(intervention ? -1n : 1n);
      if (!intervention) expect(action[0]).toBeGreaterThan(0);
      else if (observation[0]! > 0.3) expect(action[0]).toBeLessThan(0);
    }
    const [first, last] = [byPerson[0]!.step, byPerson.at(-1)!.step];
    expect(first).toBeGreaterThan(5);
    expect(first).toBeLessThanOrEqual(8);
    expect(byPerson.map(({ step }) => step)).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
    expect(transitions.at(-1)!.intervention).toBe(false);
    expect(diagnosed(node, 'takeovers_refused')).toBe('0');
  });

  it('stops on the e-stop, stays stopped, and goes on only when asked to', async () => {
    simulator();
    const node = rig.start(new PolicyNode(rig.context('policy'), {}, await decodeBundle(await trolleyBundle(1, 4))));
    const press = (data: boolean): void => rig.say('/estop', 'std_msgs/msg/Bool', { data });
    rig.transport.subscribe('/transitions', 'iq_learn/msg/Transition', ({ step, episode }) => {
      if (step !== 4 || episode !== 1) return;
      press(true); // shorter than a step: it must not be missed
      press(false);
    });
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => task.steps === 40, 'the episode running out');
    await rig.broker.idle();
    const stopped = task.actions.indexOf(0);
    expect(stopped).toBeGreaterThan(4);
    expect(stopped).toBeLessThanOrEqual(7);
    expect(task.actions.slice(stopped).every((action) => action === 0)).toBe(true);
    // Stopped steps are not the policy's, so they are no transitions to learn from.
    expect(transitions.length).toBe(stopped);
    expect(node.status()).toMatchObject({ level: 2, message: 'ESTOP: e-stop: /estop: data was true, expected false' });

    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => task.steps === 40, 'the next episode');
    expect(task.actions.slice(40).every((action) => action === 0)).toBe(true);
    press(true);
    await rig.broker.idle();
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => task.steps === 40, 'another episode');
    expect(await rig.trigger('/policy/reset_fault')).toMatchObject({
      success: false,
      message: expect.stringMatching(/ESTOP stays: the e-stop is pressed/),
    });
    press(false);
    await rig.broker.idle();
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => task.steps === 40, 'another episode');
    expect(await rig.trigger('/policy/reset_fault')).toMatchObject({ success: true });
    const before = transitions.length;
    await runEpisode(6);
    expect(transitions.length).toBeGreaterThan(before);
    expect(task.actions.at(-1)).toBeGreaterThan(0);
  });

  it('fault F05: stops and latches on a policy that gives no number, whatever its bundle promised', async () => {
    const sound = await home();
    let calls = 0;
    const broken: PolicyRuntime = {
      ...sound,
      act: async (observation) => (++calls < 4 ? sound.act(observation) : Float32Array.of(Number.NaN)),
    };
    simulator();
    const node = rig.start(new PolicyNode(rig.context('policy'), {}, broken));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => task.steps === 40, 'the episode running out');
    expect(task.actions.slice(0, 3).every((action) => action < 0)).toBe(true);
    expect(task.actions.slice(3).every((action) => action === 0)).toBe(true);
    expect(node.status().message).toMatch(/^FAULT: the policy's speed is NaN/);
    expect(transitions.length).toBe(3);
    expect(transitions.flatMap(({ action }) => [...action]).every(Number.isFinite)).toBe(true);
  });

  it('fault F01: never acts on a state that is no number; nothing of it becomes a transition', async () => {
    simulator();
    const node = rig.start(new PolicyNode(rig.context('policy'), {}, await home()));
    rig.transport.subscribe('/transitions', 'iq_learn/msg/Transition', ({ step }) => {
      if (step === 2) task.fake = Number.NaN;
    });
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => Number(diagnosed(node, 'states_dropped')) > 1, 'the bad state, said again and again');
    const still = task.actions.length;
    const seen = Number(diagnosed(node, 'states_dropped'));
    await until(() => Number(diagnosed(node, 'states_dropped')) > seen + 2, 'more bad states');
    expect(task.actions.length).toBe(still);
    task.fake = undefined;
    expect(transitions.every(({ observation }) => observation.every((value: number) => Number.isFinite(value)))).toBe(
      true,
    );
  });

  it('fault F11: goes on with a simulator that began anew; no transition reaches across', async () => {
    const first = simulator();
    rig.start(new PolicyNode(rig.context('policy'), {}, await decodeBundle(await trolleyBundle(1, 4))));
    for (const seed of [6, 6, 6]) await runEpisode(seed);
    expect(transitions.length).toBe(120);
    await first.shutdown();
    task = new Trolley();
    simulator();
    await rig.startEpisode('/simulator/start_episode', 7);
    await until(() => transitions.length === 160, 'the episode on the new simulator');
    for (const { observation, action, next_observation } of transitions)
      expect(next_observation[0]).toBeCloseTo(observation[0]! + action[0]! / 20, 5);
  });

  it('fault F32: says stop before anything else when it is taken down', async () => {
    const robot = simulator();
    const commands = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    const node = rig.start(new PolicyNode(rig.context('policy'), {}, await decodeBundle(await trolleyBundle(1, 4))));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => commands.length > 3, 'some commands');
    node.deactivate();
    await rig.broker.idle();
    expect(commands.at(-1)!.twist.linear.x).toBe(0);
    const count = commands.length;
    await unanswered(robot);
    expect(commands.length).toBe(count);
  });

  it('fault F06: refuses a policy of another robot when it is configured', async () => {
    const runtime = await home();
    const other = { ...runtime, contract: { ...runtime.contract, robot: 'rover' } };
    const node = new PolicyNode(rig.context('policy'), {}, other);
    expect(() => node.configure()).toThrow(/robot differs; found: 'rover'; expected: 'trolley'/);
    await node.shutdown();
  });
});
