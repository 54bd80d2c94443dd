import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PolicyStatus, TwistStamped } from '#src/messages/index.js';
import { ExpertNode, PolicyNode, type PolicyParameters, SimulatorNode } from '#src/nodes/index.js';
import type { PolicyRuntime } from '#src/policy/index.js';
import type { CommandSpec } from '#src/robot/index.js';
import { diagnosed, driver, Rig, Trolley, until } from '../nodes/toy.js';
import { fastSpec, quickPolicy, VirtualTime } from '../nodes/virtual-time.js';

/** A robot that trusts commands and states for long: nothing but the loop's lag stops it here. */
const patient = {
  ...fastSpec,
  stateTopics: fastSpec.stateTopics.map((topic) => ({ ...topic, timeoutMs: 5000 })),
  commands: fastSpec.commands.map((each) => ({
    ...each,
    timeoutMs: 5000,
    teleop: { ...each.teleop, timeoutMs: 5000 },
  })) as [CommandSpec],
};
const AWAY = 4;

const trolley = (): Trolley => Object.assign(new Trolley(), { stepSeconds: 0.01, maxSteps: 1e9 });

describe('fault F34: a blocked event loop', () => {
  let time: VirtualTime;
  let rig: Rig;
  let commands: TwistStamped[];
  let statuses: PolicyStatus[];

  beforeEach(() => {
    time = new VirtualTime(patient);
    rig = time.rig;
    commands = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    statuses = rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
  });
  afterEach(() => time.close());

  /** Drives away from the origin, with actions that are good for 100 ms. */
  async function drive(parameters: PolicyParameters, runtime?: PolicyRuntime): Promise<PolicyNode> {
    rig.start(new SimulatorNode(rig.context('simulator'), trolley(), { pace: 'realtime' }));
    const given: PolicyParameters = { pace: 'realtime', actionPeriods: 10, ...parameters };
    const node = rig.start(new PolicyNode(rig.context('policy'), given, runtime ?? (await quickPolicy(AWAY))));
    await rig.startEpisode('/simulator/start_episode', 6);
    await time.until(() => statuses.at(-1)?.state === 'RUNNING' && speed() > 0.5, 'driving');
    return node;
  }
  const speed = (): number => commands.at(-1)!.twist.linear.x;
  const speeds = (from: number): number[] => commands.slice(from).map(({ twist }) => twist.linear.x);

  it('within the budget the robot drives on, past it the first command is a stop, told and counted', async () => {
    const node = await drive({ loopLagBudgetMs: 50 });
    let before = commands.length;
    await time.block(45);
    await time.pass(50);
    expect(speeds(before).every((value) => value > 0)).toBe(true);
    expect(diagnosed(node, 'loop_lags')).toBe('0');
    expect(rig.records.filter(({ level }) => level === 'error')).toEqual([]);

    before = commands.length;
    const told = statuses.length;
    await time.block(90); // of which the action would be good for
    await time.until(() => speed() > 0 && commands.length > before + 3, 'driving again, by itself');
    expect(speeds(before)[0]).toBe(0);
    expect(statuses[told]).toMatchObject({
      state: 'HOLDING',
      reason: expect.stringMatching(/blocked for (9|10)\d ms/),
    });
    expect(rig.records.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      expect.stringMatching(/the event loop was blocked/),
    ]);
    const { level, values } = node.status();
    expect(level).toBe(1); // WARN, once
    expect(values.find(({ key }) => key === 'loop_lags')?.value).toBe('1');
    expect(node.status().level).toBe(0);
  });

  it('two periods are the budget where nobody says otherwise, and at least 100 ms', async () => {
    const node = await drive({});
    await time.block(99);
    await time.pass(100);
    expect(diagnosed(node, 'loop_lags')).toBe('0');
    await time.block(126);
    expect(diagnosed(node, 'loop_lags')).toBe('1');
  });

  it('drops the action in progress: what was planned before is never executed', async () => {
    const runtime = await quickPolicy(AWAY);
    let answer: ((action: Float32Array) => void) | undefined;
    let held = false;
    const node = await drive(
      { loopLagBudgetMs: 50 },
      {
        ...runtime,
        act: (observation) =>
          held
            ? new Promise((resolve) => {
                answer = resolve;
              })
            : runtime.act(observation),
      },
    );
    held = true;
    await time.until(() => answer !== undefined, 'an action being made');
    held = false;
    const before = commands.length;
    await time.block(90);
    answer!(Float32Array.of(0.123));
    await time.until(() => speed() > 0.5, 'driving again');
    expect(speeds(before)[0]).toBe(0);
    for (const value of speeds(before)) expect(value).not.toBeCloseTo(0.123, 3);
    expect(diagnosed(node, 'loop_lags')).toBe('1');
  });

  it('waits for fresh state, however long the old one would count', async () => {
    await drive({ loopLagBudgetMs: 50 });
    await rig.trigger('/simulator/pause');
    await time.pass(100);
    expect(speed()).toBeGreaterThan(0); // this robot trusts a state for 5 s
    const before = commands.length;
    await time.block(90);
    await time.pass(300);
    expect(speeds(before).length).toBeGreaterThan(10);
    expect(new Set(speeds(before))).toEqual(new Set([0]));
    await rig.trigger('/simulator/resume');
    await time.until(() => speed() > 0, 'driving again');
  });

  it('stops first where a person drives, too, and they go on: the policy is not next', async () => {
    const node = await drive({ loopLagBudgetMs: 50 });
    rig.start(new ExpertNode(rig.context('expert'), driver, { engaged: true }));
    await time.until(() => statuses.at(-1)?.state === 'TAKEOVER' && speed() < 0, 'the takeover');
    const before = commands.length;
    await time.block(90);
    await time.until(() => commands.length > before + 10, 'commands');
    expect(speeds(before)[0]).toBe(0);
    for (const value of speeds(before)) expect(value).toBeLessThanOrEqual(0);
    expect(speed()).toBeLessThan(0);
    expect(diagnosed(node, 'loop_lags')).toBe('1');
  });

  it('says nothing to a robot that has nothing to do', async () => {
    rig.start(new SimulatorNode(rig.context('simulator'), trolley(), { pace: 'realtime' }));
    const node = rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, await quickPolicy()));
    await time.block(500);
    await time.pass(50);
    expect(commands).toEqual([]);
    expect(diagnosed(node, 'loop_lags')).toBe('1');
  });
});

it('an event loop that is really blocked: the first command is a stop, and it goes on by itself', async () => {
  const rig = new Rig({ robot: patient });
  try {
    const commands = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    rig.start(new SimulatorNode(rig.context('simulator'), trolley(), { pace: 'realtime' }));
    const parameters: PolicyParameters = { pace: 'realtime', actionPeriods: 10, loopLagBudgetMs: 50 };
    const node = rig.start(new PolicyNode(rig.context('policy'), parameters, await quickPolicy(AWAY)));
    await rig.startEpisode('/simulator/start_episode', 6);
    const driving = (): boolean => (commands.at(-1)?.twist.linear.x ?? 0) > 0;
    await until(driving, 'driving');
    await rig.broker.idle(); // no command is under way
    const before = { commands: commands.length, lags: Number(diagnosed(node, 'loop_lags')) };
    const end = performance.now() + 80;
    while (performance.now() < end);
    await until(() => commands.length > before.commands, 'the next command');
    expect(commands[before.commands]!.twist.linear.x).toBe(0);
    expect(Number(diagnosed(node, 'loop_lags'))).toBeGreaterThan(before.lags);
    await until(driving, 'driving again');
  } finally {
    await rig.close();
  }
});
