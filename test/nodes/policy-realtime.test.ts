import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IqLearnError, wallClockNs } from '#src/common/index.js';
import type { TwistStamped } from '#src/messages/index.js';
import { emptyMessage, nanosecondsOf, type PolicyStatus, stampOf, type Transition } from '#src/messages/index.js';
import { ExpertNode, PolicyNode, type PolicyParameters, SimulatorNode } from '#src/nodes/index.js';
import type { PolicyRuntime } from '#src/policy/index.js';
import type { Unheard } from '#src/transport/index.js';
import { diagnosed, driver, type Rig, Trolley } from './toy.js';
import { quickPolicy, VirtualTime } from './virtual-time.js';

let time: VirtualTime;
let rig: Rig;
let task: Trolley;
let commands: TwistStamped[];
let transitions: Transition[];
let statuses: PolicyStatus[];

beforeEach(() => {
  time = new VirtualTime();
  rig = time.rig;
  task = new Trolley();
  Object.assign(task, { stepSeconds: 0.01, maxSteps: 1e9 });
  commands = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
  transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
  statuses = rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
});
afterEach(() => time.close());

const simulator = (): SimulatorNode =>
  rig.start(new SimulatorNode(rig.context('simulator'), task, { pace: 'realtime' }));
const drive = (parameters: PolicyParameters, runtime: PolicyRuntime): PolicyNode =>
  rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime', ...parameters }, runtime));
const speed = (): number => commands.at(-1)!.twist.linear.x;
const state = (): string | undefined => statuses.at(-1)?.state;
const until = (holds: () => boolean, what: string): Promise<void> => time.until(holds, what);
const pass = (ms: number): Promise<void> => time.pass(ms);

describe('the policy node in real time', () => {
  it('drives at the rate of the robot, ends with the task, and tells sound transitions', async () => {
    Object.assign(task, { maxSteps: 60 });
    simulator();
    drive({}, await quickPolicy());
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.at(-1)?.truncated === true, 'the end');
    await until(() => state() === 'IDLE' || speed() === 0, 'the stop at the end');
    const count = commands.length;
    await pass(50);
    expect(commands.length).toBe(count); // nothing is said to a robot that has nothing to do
    expect(transitions.length).toBeGreaterThan(20);
    transitions.forEach(({ sequence, observation, action, next_observation }, i) => {
      expect(sequence).toBe(BigInt(i));
      expect(action[0]).toBeCloseTo(Math.tanh(-4 * observation[0]!), 2);
      expect(next_observation[0]).toBeLessThanOrEqual(observation[0]!); // time goes forward
    });
    for (let i = 1; i < transitions.length; i++)
      expect(nanosecondsOf(transitions[i]!.header.stamp)).toBeGreaterThan(
        nanosecondsOf(transitions[i - 1]!.header.stamp),
      );
  });

  it('says why it waits: the topic, what was found and what is expected, in status, diagnostics and log', async () => {
    const node = drive({}, await quickPolicy());
    await until(() => state() === 'IDLE', 'the first status');
    expect(statuses.at(-1)!.reason).toBe('/odom has not been heard, expected nav_msgs/msg/Odometry');
    const message = emptyMessage('nav_msgs/msg/Odometry');
    message.header = { stamp: stampOf(1_000_000_000_000n), frame_id: 'bot1/odom' };
    for (let i = 0; i < 3; i++) rig.say('/odom', 'nav_msgs/msg/Odometry', message);
    const said = "/odom: header.frame_id is 'bot1/odom', expected 'odom'; no transform came on /tf or /tf_static";
    await until(() => statuses.at(-1)!.reason.startsWith(said), 'the reason');
    const { reason } = statuses.at(-1)!;
    expect(node.status()).toMatchObject({ level: 1, message: `IDLE: ${reason}` });
    expect(diagnosed(node, 'states_refused_why')).toContain(reason);
    expect(commands).toEqual([]);
    const warned = rig.records.filter(({ level }) => level === 'warn').map(({ fields }) => fields.reason);
    expect(warned).toEqual([reason]); // once; the diagnostics count the others
    const idle = rig.records.filter(({ message }) => message.startsWith('IDLE')).map(({ fields }) => fields.reason);
    expect(idle).toEqual(['/odom has not been heard, expected nav_msgs/msg/Odometry', reason]);
    expect(diagnosed(node, 'states_refused_why')).toContain('(3 times)');
  });

  it.each([
    ['/odom', 1],
    ['/teleop/cmd_vel', 1],
    ['/estop', 2],
  ])(
    'says in status and diagnostics that a publisher of %s cannot be heard, as one of another type',
    async (topic, level) => {
      const context = rig.context('policy');
      const subscribe = context.transport.subscribe.bind(context.transport) as (...args: unknown[]) => {
        close(): void;
      };
      let told: Unheard | undefined;
      context.transport.subscribe = ((...args: unknown[]) => {
        if (args[0] === topic) told = args[4] as Unheard;
        return subscribe(...args);
      }) as typeof context.transport.subscribe;
      const node = rig.start(new PolicyNode(context, { pace: 'realtime' }, await quickPolicy()));
      told!.tell(
        new IqLearnError('MISMATCH', `the topic ${topic} has another type`, {
          ...{ found: 'std_msgs/msg/String of /driver', expected: 'what is described', remedy: 'remap one' },
        }),
      );
      const said = `${topic}${topic === '/odom' ? ':' : ''} cannot be heard: found std_msgs/msg/String of /driver, expected what is described`;
      expect(diagnosed(node, 'topics_unheard')).toContain('cannot be heard: found std_msgs/msg/String of /driver');
      expect(node.status().level).toBe(level);
      // Only a state can be waited for until its driver is put right; the emergency stop never.
      expect(told!.waits).toBe(topic === '/odom');
      if (topic === '/estop') expect(node.status().message).toBe(said);
      if (topic !== '/odom') return;
      await until(() => statuses.at(-1)?.reason === said, 'the reason');
      node.deactivate();
      node.activate();
      await until(() => statuses.at(-1)?.reason === said, 'the reason, which is true still');
      simulator();
      await rig.startEpisode('/simulator/start_episode', 6);
      await until(() => state() === 'RUNNING', 'driving, once the right messages come');
      expect(diagnosed(node, 'topics_unheard')).toBe('');
    },
  );

  it('holds without a policy and says that there is none, in status, diagnostics and log', async () => {
    simulator();
    const node = rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => state() === 'HOLDING', 'holding');
    const reason = 'no policy yet: expected one on /policy, by the parameter policy or /policy/load_policy';
    expect(statuses.at(-1)!.reason).toBe(reason);
    expect(node.status()).toMatchObject({ level: 1, message: `HOLDING: ${reason}` });
    expect(rig.records.map(({ fields }) => fields.reason)).toContain(reason);
  });

  it('fault F02: stops a robot whose state goes stale, and goes on when it is back', async () => {
    simulator();
    const node = drive({}, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => state() === 'RUNNING' && transitions.length > 5, 'driving');
    await rig.trigger('/simulator/pause');
    await until(() => state() === 'HOLDING', 'the hold');
    expect(speed()).toBe(0);
    expect(statuses.at(-1)!.reason).toMatch(/^\/odom is \d+ ms old, timeout \d+ ms$/);
    expect(node.status().level).toBe(3);
    const count = transitions.length;
    await pass(60);
    expect(transitions.length).toBe(count);
    await rig.trigger('/simulator/resume');
    await until(() => state() === 'RUNNING' && transitions.length > count + 5, 'driving again');
    for (const { observation, next_observation } of transitions)
      expect(Math.abs(next_observation[0]! - observation[0]!)).toBeLessThan(0.02); // none reaches across the pause
  });

  it('tells of a topic that is stamped by another clock, once, and drives all the same', async () => {
    const node = rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }));
    const sayAt = (offset: bigint): void => {
      const header = { stamp: stampOf(wallClockNs() + offset), frame_id: 'odom' };
      rig.say('/odom', 'nav_msgs/msg/Odometry', { ...emptyMessage('nav_msgs/msg/Odometry'), header });
    };
    for (let i = 0n; i < 20n; i++) {
      sayAt(30_000_000_000n + i);
      await pass(20);
    }
    const said = /^\/odom: header\.stamp is (29|30)\.\d s ahead of this computer's clock, expected within 1 s of it/;
    const told = rig.records.filter(({ message: text }) => text === 'the clocks differ');
    expect(told.map(({ fields }) => fields.reason)).toEqual([expect.stringMatching(said)]);
    expect(diagnosed(node, 'clocks_differ')).toMatch(said);
    expect(statuses.at(-1)!.reason).toMatch(/^no policy yet/);
  });

  it('a hold for another reason than before is told once in the log, and is stale only while it is', async () => {
    simulator();
    const node = rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => state() === 'HOLDING', 'holding');
    await rig.trigger('/simulator/pause');
    await until(() => statuses.at(-1)!.reason.startsWith('/odom is'), 'the stale state');
    await pass(1200);
    const told = (): unknown[] =>
      rig.records.filter(({ message }) => message.startsWith('HOLDING')).map(({ fields }) => fields.reason);
    expect(told()).toEqual([expect.stringMatching(/^no policy yet/), expect.stringMatching(/^\/odom is \d+ ms old/)]);
    expect(node.status().level).toBe(3);
    await rig.trigger('/simulator/resume');
    await until(() => statuses.at(-1)!.reason.startsWith('no policy yet'), 'the state being back');
    node.status();
    await pass(1200);
    expect(node.status().level).toBe(1);
  });

  it('fault F01: drops states that are no numbers; after their timeout the robot stands', async () => {
    simulator();
    const node = drive({}, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length > 5, 'driving');
    task.fake = Number.NaN;
    await until(() => state() === 'HOLDING', 'the hold');
    expect(speed()).toBe(0);
    expect(Number(diagnosed(node, 'states_dropped'))).toBeGreaterThan(2);
    task.fake = undefined;
    await until(() => state() === 'RUNNING', 'driving again');
    const numbers = transitions.flatMap(({ observation, action, next_observation }) => [
      ...observation,
      ...action,
      ...next_observation,
    ]);
    expect(numbers.every(Number.isFinite)).toBe(true);
  });

  it('fault F09: a policy slower than the period: overruns are counted, the robot stops, no queue builds up', async () => {
    const runtime = await quickPolicy(4);
    let calls = 0;
    let delayMs = 0;
    const dawdling: PolicyRuntime = {
      ...runtime,
      act: async (observation) => {
        calls++;
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        return await runtime.act(observation);
      },
    };
    simulator();
    const node = drive({}, dawdling);
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length > 5, 'driving');
    delayMs = 100; // ten periods
    const before = { calls, overruns: Number(diagnosed(node, 'overruns')) };
    await until(() => state() === 'HOLDING', 'the hold');
    expect(speed()).toBe(0);
    await until(() => calls >= before.calls + 3, 'three slow decisions');
    expect(Number(diagnosed(node, 'overruns')) - before.overruns).toBeGreaterThan(10);
    expect(Number(diagnosed(node, 'expired'))).toBeGreaterThan(0); // what came late was not executed
    delayMs = 0;
    await until(() => state() === 'RUNNING', 'driving again');
  });

  it('a person takes over at once, and the policy goes on after they let go', async () => {
    simulator();
    drive({}, await quickPolicy(4));
    rig.start(new ExpertNode(rig.context('expert'), driver, { engaged: false }));
    const engage = (data: boolean) =>
      rig.transport.call('/expert/engage', 'std_srvs/srv/SetBool', { data }, { timeoutMs: 60_000 });
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length > 5, 'driving');
    expect(speed()).toBeGreaterThan(0);
    await engage(true);
    await until(() => state() === 'TAKEOVER', 'the takeover');
    await until(() => transitions.filter(({ intervention }) => intervention).length > 5, 'tagged transitions');
    expect(speed()).toBeLessThan(0);
    await engage(false);
    await until(() => state() === 'RUNNING', 'the policy');
    const versions = new Set(
      transitions.map(({ intervention, policy_version }) => `${intervention} ${policy_version}`),
    );
    expect([...versions].sort()).toEqual(['false 1', 'true -1']);
  });

  const said = (value: number): TwistStamped => {
    const message = emptyMessage('geometry_msgs/msg/TwistStamped');
    message.header.stamp = stampOf(wallClockNs() + time.clock.nowNs());
    message.twist.linear.x = value;
    return message;
  };
  const warnings = (): unknown[] =>
    rig.records.filter(({ message }) => message.startsWith('two command')).map(({ fields }) => fields.reason);

  it('says that another publishes on its command topic, in status and diagnostics while it does, once in the log', async () => {
    simulator();
    const node = drive({}, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => state() === 'RUNNING' && commands.length > 300, 'driving alone');
    expect([statuses.at(-1)!.reason, node.status().level, warnings()]).toEqual(['', 0, []]);
    for (let i = 0; i < 8; i++) {
      rig.say('/cmd_vel', 'geometry_msgs/msg/TwistStamped', said(-0.25));
      await pass(1000);
      if (i === 3) expect(statuses.at(-1)!.reason).toBe(''); // as of one that was stopped just now
    }
    const reason = expect.stringMatching(/^\/cmd_vel: another publisher commands the robot by turns with this node/);
    expect(statuses.at(-1)).toMatchObject({ state: 'RUNNING', reason });
    expect(node.status()).toMatchObject({ level: 1, message: `RUNNING: ${statuses.at(-1)!.reason}` });
    await pass(4000);
    expect([statuses.at(-1)!.reason, node.status().level]).toEqual(['', 0]);
    expect(warnings()).toEqual([reason]);
  });

  it('says that two devices drive it by turns, whom it obeys both, and not of one that is steered to and fro', async () => {
    simulator();
    const node = drive({}, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => state() === 'RUNNING', 'driving');
    for (let i = 0; i < 20; i++) {
      rig.say('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', said(i % 2 === 0 ? 0.5 : -0.5));
      await pass(200);
    }
    expect(warnings()).toEqual([]);
    for (let i = 0; i < 60; i++) {
      rig.say('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', said(i % 2 === 0 ? 0.5 : -0.5));
      await pass(25);
    }
    const reason = '/teleop/cmd_vel: speed is -0.5 and 0.5 by turns, expected one publisher';
    expect(node.status()).toMatchObject({ level: 1, message: expect.stringMatching(/^TAKEOVER: .*by turns/) });
    expect(statuses.at(-1)!.reason).toContain(reason);
    expect(warnings()).toEqual([reason]);
    await until(() => state() === 'RUNNING', 'the policy');
    expect(statuses.at(-1)!.reason).toBe('');
  });

  it('stops on the e-stop within the same turn of the event loop, latched', async () => {
    simulator();
    const node = drive({}, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length > 5, 'driving');
    rig.say('/estop', 'std_msgs/msg/Bool', { data: true });
    await rig.broker.idle();
    expect(speed()).toBe(0);
    expect(state()).toBe('ESTOP');
    rig.say('/estop', 'std_msgs/msg/Bool', { data: false });
    await pass(60);
    expect(speed()).toBe(0);
    expect(state()).toBe('ESTOP');
    expect(await rig.trigger('/policy/reset_fault')).toMatchObject({ success: true });
    await until(() => state() === 'RUNNING', 'driving again');
    expect(node.status().level).toBe(0);
  });

  it('fault F29: takes a missing heartbeat of the e-stop for the e-stop', async () => {
    simulator();
    drive({ estopHeartbeatMs: 60 }, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => state() === 'HOLDING', 'waiting for the first heartbeat');
    const beat = setInterval(() => rig.say('/estop', 'std_msgs/msg/Bool', { data: false }), 15);
    await until(() => state() === 'RUNNING' && transitions.length > 3, 'driving');
    clearInterval(beat);
    await until(() => state() === 'ESTOP', 'the e-stop');
    expect(speed()).toBe(0);
    expect(statuses.at(-1)!.reason).toMatch(/heartbeat/);
  });

  it('after the event loop was blocked the first command is a stop', async () => {
    simulator();
    const node = drive({}, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length > 5, 'driving');
    const count = commands.length;
    const overruns = Number(diagnosed(node, 'overruns'));
    await time.block(60);
    await until(() => commands.length > count, 'the next command');
    expect(commands[count]!.twist.linear.x).toBe(0);
    expect(Number(diagnosed(node, 'overruns')) - overruns).toBeGreaterThanOrEqual(4);
    await until(() => speed() > 0, 'driving again');
  });

  it('says stop when it is taken down, before anything else', async () => {
    simulator();
    const node = drive({}, await quickPolicy(4));
    await rig.startEpisode('/simulator/start_episode', 6);
    await until(() => transitions.length > 5, 'driving');
    const down = node.shutdown();
    await rig.broker.idle();
    expect(speed()).toBe(0);
    await down;
    const count = commands.length;
    await pass(40);
    expect(commands.length).toBe(count);
  });
});
