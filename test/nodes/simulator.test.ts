import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import type { TwistStamped } from '#src/messages/index.js';
import { header, nanosecondsOf, type TaskState } from '#src/messages/index.js';
import { SimulatorNode } from '#src/nodes/index.js';
import { diagnosed, Rig, spec, Trolley, until } from './toy.js';
import { VirtualTime } from './virtual-time.js';

let rig: Rig;
let task: Trolley;
let states: TaskState[];

beforeEach(() => {
  rig = new Rig();
  task = new Trolley();
  states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
});
afterEach(() => rig.close());

const command = (speed: number, stampNs: bigint): TwistStamped => ({
  header: header(stampNs, 'base_link'),
  twist: { linear: { x: speed, y: 0, z: 0 }, angular: { x: 0, y: 0, z: 0 } },
});
const send = (speed: number, stampNs: bigint): void =>
  rig.say('/cmd_vel', 'geometry_msgs/msg/TwistStamped', command(speed, stampNs));
const stampOf = (state: TaskState | undefined): bigint => nanosecondsOf(state!.header.stamp);

/** Long enough that no state is said again in a test that does not ask for it. */
const patient = { repeatMs: 1e6 };

describe('the simulator in lockstep', () => {
  it('steps once for each command that answers the present state, and for no other', async () => {
    const odometry = rig.listen('/odom', 'nav_msgs/msg/Odometry');
    const clock = rig.listen('/clock', 'rosgraph_msgs/msg/Clock');
    const node = rig.start(new SimulatorNode(rig.context('simulator'), task, patient));
    expect(await rig.startEpisode('/simulator/start_episode', 4)).toEqual({ success: true, message: '', episode: 1 });
    await rig.broker.idle();
    const first = stampOf(states[0]);
    expect(states).toMatchObject([{ episode: 1, step: 0, reward: 0, terminated: false }]);
    expect(odometry[0]!.pose.pose.position.x).toBe(task.x);
    expect(nanosecondsOf(clock[0]!.clock)).toBe(first);

    send(-0.5, first);
    send(-0.5, first); // the same once more
    send(0.7, first - 50_000_000n); // late
    send(0.7, first + 500_000_000n); // ahead
    await until(() => states.length === 2, 'the step');
    await rig.broker.idle();
    expect(task.actions).toEqual([-0.5]);
    expect(stampOf(states[1])).toBe(first + 50_000_000n);
    expect(odometry[1]!.twist.twist.linear.x).toBe(-0.5);
    expect(diagnosed(node, 'commands_ignored')).toBe('3');
  });

  it('refuses a command that is not finite, says so, and goes on with the next', async () => {
    const node = rig.start(new SimulatorNode(rig.context('simulator'), task, patient));
    await rig.startEpisode('/simulator/start_episode', 4);
    await rig.broker.idle();
    send(Number.NaN, stampOf(states[0]));
    send(-0.25, stampOf(states[0]));
    await until(() => task.actions.length === 1, 'the step');
    expect(task.actions).toEqual([-0.25]);
    expect(diagnosed(node, 'commands_refused')).toBe('1');
    expect(rig.records[0]!.fields.reason).toMatch(/not finite.*speed.*NaN/);
  });

  it('ends an episode with its last state, then waits; time goes on over episodes', async () => {
    rig.start(new SimulatorNode(rig.context('simulator'), task, patient));
    await rig.startEpisode('/simulator/start_episode', 0);
    await rig.broker.idle();
    for (let i = 0; !states.at(-1)!.terminated; i++) {
      send(-1, stampOf(states.at(-1)));
      await until(() => states.length === i + 2, 'a step');
    }
    const last = states.at(-1)!;
    expect(last).toMatchObject({ terminated: true, truncated: false, success: true, episode: 1 });
    send(-1, stampOf(last));
    await rig.broker.idle();
    expect(states.at(-1)).toBe(last);
    await rig.startEpisode('/simulator/start_episode', 1);
    await rig.broker.idle();
    expect(states.at(-1)).toMatchObject({ episode: 2, step: 0, terminated: false });
    expect(stampOf(states.at(-1))).toBe(stampOf(last) + 50_000_000n);
  });

  it('says the state once more where no answer comes, and turns to STALE; nothing moves meanwhile', async () => {
    const node = rig.start(new SimulatorNode(rig.context('simulator'), task, { repeatMs: 20, quietMs: 60 }));
    await rig.startEpisode('/simulator/start_episode', 4);
    await until(() => states.length >= 4, 'the state being repeated');
    expect(new Set(states.map((state) => `${state.step} ${stampOf(state)}`)).size).toBe(1);
    await until(() => node.status().level === 3, 'STALE');
    expect(node.status().message).toMatch(/no command for 0\.\d s; the robot stands still/);
    expect(task.actions).toEqual([]);
    send(-0.5, stampOf(states[0]));
    await until(() => task.actions.length === 1, 'the step');
    expect(node.status().level).toBe(0);
  });

  it('pauses and goes on', async () => {
    rig.start(new SimulatorNode(rig.context('simulator'), task, patient));
    await rig.startEpisode('/simulator/start_episode', 4);
    await rig.trigger('/simulator/pause');
    send(-0.5, stampOf(states[0]));
    await rig.broker.idle();
    expect(task.actions).toEqual([]);
    await rig.trigger('/simulator/resume'); // says the state once more, for whoever answered meanwhile
    await rig.broker.idle();
    expect(states.length).toBe(2);
    send(-0.5, stampOf(states[0]));
    await until(() => task.actions.length === 1, 'the step');
  });

  it('chooses seeds itself where asked to, the same every time', async () => {
    const starts = async (): Promise<number[]> => {
      const own = new Rig();
      const trolley = new Trolley();
      const seen: number[] = [];
      own.start(new SimulatorNode(own.context('simulator'), trolley, { seed: 3 }));
      for (let i = 0; i < 5; i++) {
        await own.startEpisode('/simulator/start_episode', -1);
        seen.push(trolley.x);
      }
      await own.close();
      return seen;
    };
    const seen = await starts();
    expect(new Set(seen).size).toBeGreaterThan(1);
    expect(await starts()).toEqual(seen);
  });

  it('reports a task that dies as a fault of its own', async () => {
    const node = rig.start(new SimulatorNode(rig.context('simulator'), task, patient));
    const faults: IqLearnError[] = [];
    node.onFault((error) => faults.push(error));
    await rig.startEpisode('/simulator/start_episode', 4);
    await rig.broker.idle();
    task.failure = new IqLearnError('UNAVAILABLE', 'the worker of the task died');
    send(-0.5, stampOf(states[0]));
    await until(() => faults.length > 0, 'the fault');
    expect(faults[0]!.code).toBe('UNAVAILABLE');
    expect(node.status()).toMatchObject({ level: 2, message: expect.stringContaining('died') });
  });

  it('refuses to start while it is not active, and a seed that is none', async () => {
    const node = rig.start(new SimulatorNode(rig.context('simulator'), task, patient));
    expect(await rig.startEpisode('/simulator/start_episode', 2 ** 33)).toMatchObject({
      success: false,
      message: expect.stringContaining('bad seed'),
    });
    node.deactivate();
    expect(await rig.startEpisode('/simulator/start_episode', 1)).toMatchObject({
      success: false,
      message: expect.stringContaining('not active'),
    });
    node.activate();
  });
});

describe('the simulator in real time', () => {
  it('steps by the clock, stops the robot without fresh commands, ignores old ones', async () => {
    const time = new VirtualTime(spec);
    onTestFinished(() => time.close());
    const { rig } = time;
    const states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
    const send = (speed: number, stampNs: bigint): void =>
      rig.say('/cmd_vel', 'geometry_msgs/msg/TwistStamped', command(speed, stampNs));
    const node = rig.start(new SimulatorNode(rig.context('simulator'), task, { pace: 'realtime' }));
    await rig.startEpisode('/simulator/start_episode', 6);
    await time.until(() => task.actions.length >= 2, 'steps without a command');
    expect(task.actions.every((action) => action === 0)).toBe(true);
    const at = task.actions.length;
    const stampNs = stampOf(states.at(-1));
    send(-0.5, stampNs);
    await time.until(() => task.actions.length >= at + 3, 'steps with the command');
    expect(task.actions.slice(at)).toContain(-0.5);
    // Held up for longer than the command's timeout, then delivered: not executed.
    await time.until(() => stampOf(states.at(-1)) - stampNs > 250_000_000n, 'the command getting old');
    const from = task.actions.length;
    send(0.9, stampNs + 1n);
    await time.until(() => task.actions.length >= from + 3, 'more steps');
    expect(task.actions.slice(from)).not.toContain(0.9);
    expect(task.actions.at(-1)).toBe(0);
    expect(Number(diagnosed(node, 'stops'))).toBeGreaterThan(1);
    await rig.trigger('/simulator/pause');
    const paused = task.actions.length;
    await time.pass(120);
    expect(task.actions.length - paused).toBeLessThanOrEqual(1);
  });
});

describe('the simulator in lockstep with commands that carry no stamp', () => {
  const unstamped = {
    ...spec,
    commands: [{ ...spec.commands[0], type: 'std_msgs/msg/Float64MultiArray' }] as [(typeof spec.commands)[0]],
    action: spec.action.map((feature) => ({ ...feature, quantity: 'velocity' as const })),
  };
  const say = (speed: number): void =>
    rig.say('/cmd_vel', 'std_msgs/msg/Float64MultiArray', {
      layout: { dim: [], data_offset: 0 },
      data: Float64Array.of(speed),
    });
  const step = async (count: number): Promise<void> => {
    await until(() => task.actions.length >= count, `step ${count}`);
    await rig.broker.idle();
  };
  let node: SimulatorNode;
  beforeEach(async () => {
    await rig.close();
    rig = new Rig({ robot: unstamped });
    states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
    node = rig.start(new SimulatorNode(rig.context('simulator'), task, patient));
    await rig.startEpisode('/simulator/start_episode', 4);
    await rig.broker.idle();
  });
  /** The state is told again, as after a long wait for its answer. */
  const again = async (): Promise<void> => {
    await rig.trigger('/simulator/pause');
    await rig.trigger('/simulator/resume');
    await rig.broker.idle();
  };

  it('an answer that comes again, because its state was told again, is none to the next state', async () => {
    await again();
    say(-0.5);
    await step(1);
    say(-0.5); // the repetition of the answer, late
    await rig.broker.idle();
    expect(task.actions).toEqual([-0.5]);
    say(0.25);
    await step(2);
    say(0.25);
    await step(3);
    expect(task.actions).toEqual([-0.5, 0.25, 0.25]);
    expect(diagnosed(node, 'commands_ignored')).toBe('1');
  });

  it('the same command for two states is two answers where nothing was told again', async () => {
    say(-0.5);
    await step(1);
    say(-0.5);
    await step(2);
    expect(task.actions).toEqual([-0.5, -0.5]);
  });

  it('an answer that is the same as the one before is taken at the latest when its state was told again', async () => {
    await again();
    say(-0.5);
    await step(1);
    say(-0.5); // the answer to this state, which could be the one before once more
    await rig.broker.idle();
    await again();
    say(-0.5);
    await step(2);
    expect(task.actions).toEqual([-0.5, -0.5]);
  });
});
