import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingWriter } from '#src/demonstrations/index.js';
import { readReplay } from '#src/hosts/ros2/replay.js';
import { emptyMessage, header, type PolicyStatus, type TwistStamped } from '#src/messages/index.js';
import { PolicyNode, RecordedActions } from '#src/nodes/index.js';
import type { Logger } from '#src/platform/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { fastSpec, VirtualTime } from './virtual-time.js';

const robot = { ...fastSpec, task: null };
const motion = (speeds: readonly number[]) => ({
  actions: Float32Array.from(speeds),
  observations: Float32Array.from(Array.from({ length: speeds.length + 1 }, (_, i) => [i / 100, 0]).flat()),
  length: speeds.length,
});
const drain = (recorded: RecordedActions, current?: number[], observation = Float32Array.of(0, 0)): number[][] => {
  const out: number[][] = [];
  for (
    let action = recorded.next(observation, current);
    action !== undefined;
    action = recorded.next(observation, current)
  )
    out.push([...action]);
  return out;
};

describe('recorded actions', () => {
  it('are the recorded ones, and slower they go the same way in more time', () => {
    const speeds = [0.5, 1, -1, 0.25];
    expect(drain(new RecordedActions(robot, motion(speeds), 1)).flat()).toEqual([...speeds, 0]);
    const slow = drain(new RecordedActions(robot, motion(speeds), 0.5)).flat();
    expect(slow).toEqual([0.25, 0.25, 0.5, 0.5, -0.5, -0.5, 0.125, 0.125, 0]);
    const way = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0);
    expect(way(slow)).toBe(way(speeds));
  });

  it('bring an arm slowly to where the motion begins, and are interpolated where they are slower', () => {
    const ur5e = loadRobotSpec('ur5e');
    const rows = [0.2, 0.3].map((value) => ur5e.action.map(() => value));
    const width = ur5e.observation.length;
    const arm = { actions: Float32Array.from(rows.flat()), observations: new Float32Array(3 * width), length: 2 };
    const driven = drain(
      new RecordedActions(ur5e, arm, 0.5),
      ur5e.action.map(() => 0),
      new Float32Array(width),
    );
    const { maxRate } = ur5e.action[0]!;
    const largest = (0.25 * maxRate) / ur5e.rateHz;
    const first = driven.map(([value]) => value!);
    expect(first[0]).toBeLessThanOrEqual(largest + 1e-6);
    const approach = first.length - 5;
    expect(approach).toBeGreaterThanOrEqual(Math.floor(0.2 / largest));
    expect(first[approach - 1]).toBeCloseTo(0.2, 6);
    expect(first.slice(approach).map((value) => Number(value.toFixed(3)))).toEqual([0.2, 0.25, 0.3, 0.3, 0.3]);
  });

  it('say how far the robot was from its recorded state', () => {
    const recorded = new RecordedActions(robot, motion([1, 1, 1]), 1);
    drain(recorded, undefined, Float32Array.of(0.5, 0.05));
    expect(recorded.deviations).toEqual([
      { name: 'x', unit: 'm', largest: 0.5, at: 0 },
      { name: 'v', unit: 'm/s', largest: expect.closeTo(0.05, 6), at: 0 },
    ]);
  });

  it('refuse to be faster than they were, and to slow down what is no way', () => {
    expect(() => new RecordedActions(robot, motion([1]), 1.5)).toThrow(/never driven faster/);
    expect(() => new RecordedActions(robot, motion([1]), 0)).toThrow(/bad speed/);
    const action = [{ ...robot.action[0]!, unit: 'N', quantity: 'effort' as const }];
    expect(() => new RecordedActions({ ...robot, action }, motion([1]), 0.5)).toThrow(
      /cannot be slowed down.*speed \(N\)/,
    );
    new RecordedActions({ ...robot, action }, motion([1]), 1);
  });
});

describe('a replay on the robot', () => {
  let time: VirtualTime;
  let commands: TwistStamped[];
  let statuses: PolicyStatus[];
  beforeEach(() => {
    time = new VirtualTime({ ...robot, action: [{ ...robot.action[0]!, high: 0.6 }] });
    commands = time.rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    statuses = time.rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
  });
  afterEach(() => time.close());

  const live = async (ms: number, person?: number): Promise<void> => {
    for (let i = 0; i < ms / 10; i++) {
      const odometry = {
        ...emptyMessage('nav_msgs/msg/Odometry'),
        header: header(time.clock.nowNs() + 10n ** 15n, 'odom'),
      };
      odometry.pose.pose.orientation.w = 1;
      time.rig.say('/odom', 'nav_msgs/msg/Odometry', odometry);
      const twist = emptyMessage('geometry_msgs/msg/TwistStamped');
      twist.twist.linear.x = person ?? 0;
      if (person !== undefined) time.rig.say('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', twist);
      await time.pass(10);
    }
  };
  const replay = (length: number): PolicyNode => {
    const recorded = new RecordedActions(robot, motion(Array.from({ length }, () => 0.8)), 1);
    return time.rig.start(new PolicyNode(time.rig.context('policy'), { pace: 'realtime' }, undefined, recorded));
  };

  it('passes the safety filter, ends with a stop, and says so', async () => {
    replay(30);
    await live(150);
    expect(commands.at(-1)!.twist.linear.x).toBeCloseTo(0.6, 5); // 0.8 is beyond this robot's limits
    await live(1500);
    expect(commands.filter(({ twist }) => twist.linear.x > 0.5)).toHaveLength(30);
    expect(commands.at(-1)!.twist.linear.x).toBe(0);
    expect(statuses.at(-1)).toMatchObject({ state: 'IDLE', reason: 'the replay is over' });
  });

  it('is given up when a person takes over, and when the robot is stopped', async () => {
    replay(1000);
    await live(100);
    await live(100, -0.2);
    expect(commands.at(-1)!.twist.linear.x).toBeCloseTo(-0.2, 5);
    await live(2000);
    expect(commands.at(-1)!.twist.linear.x).toBe(0);
    expect(statuses.at(-1)!.reason).toBe('the replay is given up: a person took over');
  });
});

describe('the episode of a recording that is to be replayed', () => {
  it('is chosen by its number; one that is not there is refused with those that are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-replay-'));
    const bag = join(folder, 'bag');
    const writer = await RecordingWriter.create(bag, { spec: robot, session: 'test' });
    for (let t = 0; t < 200; t++) {
      const stampNs = 1_700_000_000_000_000_000n + BigInt(t) * 10_000_000n;
      if (t % 100 === 0) writer.startEpisode({ stampNs, episode: t / 100 + 1 });
      const odometry = { ...emptyMessage('nav_msgs/msg/Odometry'), header: header(stampNs, 'odom') };
      odometry.pose.pose.orientation.w = 1;
      odometry.pose.pose.position.x = t;
      writer.write('/odom', 'nav_msgs/msg/Odometry', odometry, stampNs);
      const twist = { ...emptyMessage('geometry_msgs/msg/TwistStamped'), header: header(stampNs) };
      twist.twist.linear.x = t < 100 ? 0.25 : 0.5;
      writer.write('/cmd_vel', 'geometry_msgs/msg/TwistStamped', twist, stampNs);
      if (t % 100 === 99) writer.endEpisode({ stampNs, terminated: false, truncated: true, success: true });
    }
    await writer.close();
    const logger = { info() {}, warn() {} } as unknown as Logger;
    const options = { speed: 1, pace: 'realtime', source: 'policy' } as const;
    const second = await readReplay(`${bag}#2`, { spec: robot, logger }, options);
    expect(second.next(Float32Array.of(100, 0), undefined)).toEqual(Float32Array.of(0.5));
    await expect(readReplay(bag, { spec: robot, logger }, options)).rejects.toThrow(/2 episodes.*#1, #2/s);
    await expect(readReplay(`${bag}#7`, { spec: robot, logger }, options)).rejects.toThrow(/#7.*#1, #2/s);
    await expect(readReplay(bag, { spec: robot, logger }, { ...options, pace: 'lockstep' })).rejects.toThrow(
      /real time/,
    );
    rmSync(folder, { recursive: true });
  });
});
