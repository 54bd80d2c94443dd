import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import {
  type EpisodeEvent,
  emptyMessage,
  episodeEvent,
  header,
  type PolicyStatus,
  type Transition,
  type TwistStamped,
} from '#src/messages/index.js';
import { PolicyNode, RecorderNode, SupervisorNode, type SupervisorParameters } from '#src/nodes/index.js';
import { diagnosed, type Rig } from '../toy.js';
import { fastSpec, quickPolicy, VirtualTime } from '../virtual-time.js';

const robot = { ...fastSpec, task: null };
let time: VirtualTime;
let rig: Rig;
let folder: string;
let events: EpisodeEvent[];
let commands: TwistStamped[];
let transitions: Transition[];
let statuses: PolicyStatus[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-supervisor-'));
  time = new VirtualTime(robot);
  rig = time.rig;
  events = rig.listen('/episode_events', 'iq_learn/msg/EpisodeEvent');
  commands = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
  transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
  statuses = rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
});
afterEach(async () => {
  await time.close();
  rmSync(folder, { recursive: true });
});

/** The robot stands at x and says so a hundred times a second for so many milliseconds; a person commands `person`. */
async function live(
  ms: number,
  { person, x = 1, isStamped = false }: { person?: number; x?: number; isStamped?: boolean } = {},
): Promise<void> {
  for (let i = 0; i < ms / 10; i++) {
    const stamp = header(time.clock.nowNs() + 1_000_000_000_000n, 'odom');
    const odometry = { ...emptyMessage('nav_msgs/msg/Odometry'), header: stamp };
    odometry.pose.pose.position.x = x;
    odometry.pose.pose.orientation.w = 1;
    rig.say('/odom', 'nav_msgs/msg/Odometry', odometry);
    if (person !== undefined) {
      const twist = { ...emptyMessage('geometry_msgs/msg/TwistStamped'), header: isStamped ? stamp : header(0n) };
      twist.twist.linear.x = person;
      rig.say('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', twist);
    }
    await time.pass(10);
  }
}

const ask = (request: string) => rig.trigger(`/supervisor/${request}`);
const supervise = (parameters: SupervisorParameters = {}): SupervisorNode =>
  rig.start(new SupervisorNode(rig.context('supervisor'), { recorder: false, ...parameters }));
const speed = (): number => commands.at(-1)!.twist.linear.x;

describe('a supervisor, a policy node and a real robot', () => {
  it('lets the policy drive within episodes only; a person may drive between them, which is nothing to learn from', async () => {
    rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime', supervised: true }, await quickPolicy()));
    await live(100);
    expect(statuses.at(-1)).toMatchObject({ state: 'IDLE', reason: expect.stringMatching(/supervisor has not been/) });
    expect(commands.every(({ twist }) => twist.linear.x === 0)).toBe(true);
    supervise();
    await live(100, { person: 0.5 });
    expect(speed()).toBe(0.5);
    expect(statuses.at(-1)!.state).toBe('TAKEOVER');
    await live(1700);
    expect(speed()).toBe(0);
    expect(statuses.at(-1)).toMatchObject({ state: 'IDLE', reason: expect.stringMatching(/between episodes/) });
    expect(transitions).toEqual([]);

    expect(await ask('start')).toMatchObject({ success: true, message: expect.stringContaining('episode 1') });
    await live(300);
    expect(speed()).toBeCloseTo(Math.tanh(-4), 3);
    expect(await ask('success')).toMatchObject({ success: true, message: expect.stringContaining('a success') });
    await live(50);
    expect(speed()).toBe(0);
    const driven = transitions.length;
    expect(driven).toBeGreaterThan(20);
    expect(transitions.at(-1)).toMatchObject({ terminated: true, truncated: false, episode: 1 });
    expect(transitions.slice(0, -1).every(({ terminated, truncated }) => !terminated && !truncated)).toBe(true);
    await live(300, { person: -0.5 });
    expect(speed()).toBe(-0.5);
    expect(transitions.length).toBe(driven);
    await live(600);
    await ask('start');
    await live(100);
    await ask('failure');
    await live(50);
    expect(transitions.at(-1)).toMatchObject({ terminated: false, truncated: true, episode: 2 });
  });

  it('holds the policy where the supervisor falls silent in an episode', async () => {
    rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime', supervised: true }, await quickPolicy()));
    const supervisor = supervise();
    await live(50);
    await ask('start');
    await live(200);
    expect(speed()).toBeLessThan(-0.9);
    // Killed: it says nothing any more.
    Object.assign(supervisor, { onDeactivate() {} });
    await supervisor.shutdown();
    await live(1800);
    expect(speed()).toBe(0);
    expect(statuses.at(-1)).toMatchObject({ state: 'IDLE', reason: expect.stringMatching(/not been heard for/) });
  });

  it('ends an episode whose robot was stopped, and begins none until that is reset', async () => {
    rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime', supervised: true }, await quickPolicy()));
    supervise({ timeUp: 'failure' });
    await live(50);
    await ask('start');
    await live(100);
    rig.say('/estop', 'std_msgs/msg/Bool', { data: true });
    await live(50);
    expect(events.at(-1)).toMatchObject({
      kind: episodeEvent.END,
      success: episodeEvent.FAILURE,
      reason: expect.stringContaining('ESTOP: e-stop'),
    });
    expect(await ask('start')).toMatchObject({ success: false, message: expect.stringContaining('reset_fault') });
    rig.say('/estop', 'std_msgs/msg/Bool', { data: false });
    await live(50);
    expect(await rig.trigger('/policy/reset_fault')).toMatchObject({ success: true });
    await live(1100);
    expect(await ask('start')).toMatchObject({ success: true });
  });
});

describe('the supervisor', () => {
  it('takes buttons, topics and the time as it takes a person’s word', async () => {
    supervise({ successTopic: '/arrived', episodeS: 0.3, resetS: 0.2, episodes: 3 });
    const press = async (...pressed: number[]): Promise<void> => {
      const buttons = Int32Array.from({ length: 8 }, (_, i) => Number(pressed.includes(i)));
      rig.say('/joy', 'sensor_msgs/msg/Joy', { ...emptyMessage('sensor_msgs/msg/Joy'), buttons });
      await time.settle();
    };
    await press();
    await press(7);
    await time.pass(100);
    rig.say('/arrived', 'std_msgs/msg/Bool', { data: true });
    await time.pass(250); // the next begins by itself
    await press();
    await press(2); // thrown away
    await time.pass(600); // done again, to the end of its time
    const kinds = events.map(({ kind, episode, success, reason }) => [kind, episode, success, reason]);
    const { START, END, DISCARD, SUCCESS, UNKNOWN } = episodeEvent;
    expect(kinds.slice(0, 6)).toEqual([
      [START, 1, UNKNOWN, ''],
      [END, 1, SUCCESS, '/arrived says so'],
      [START, 2, UNKNOWN, ''],
      [DISCARD, 2, UNKNOWN, 'thrown away by the person'],
      [START, 3, UNKNOWN, ''],
      [END, 3, UNKNOWN, 'the time of 0.3 s is up'],
    ]);
  });

  it('refuses what makes no sense now, says why, and shows what there is', async () => {
    const supervisor = supervise({ episodes: 1 });
    for (const request of ['stop', 'success', 'failure'])
      expect(await ask(request)).toMatchObject({ success: false, message: expect.stringContaining('no episode is') });
    await ask('start');
    expect(await ask('start')).toMatchObject({ success: false, message: expect.stringContaining('1 is running') });
    await ask('success');
    expect(supervisor.status().message).toContain('1 of 1 kept: start again to finish');
    expect(diagnosed(supervisor, 'success_rate')).toBe('1.000');
    await ask('discard');
    expect(diagnosed(supervisor, 'kept')).toBe('0');
    await ask('start');
    await ask('failure');
    let finished = false;
    void supervisor.done.then(() => (finished = true));
    await time.pass(20);
    expect(finished).toBe(false);
    await ask('start');
    await time.pass(300);
    await supervisor.done;
  });

  it('begins no episode that whoever prepares it, or the recorder, refuses', async () => {
    const begin = async (): Promise<string> => {
      throw new Error('the policy is of another robot');
    };
    rig.start(new SupervisorNode(rig.context('supervisor'), { recorder: false }, { begin }));
    expect(await ask('start')).toMatchObject({ success: false, message: expect.stringContaining('another robot') });
    expect(events).toEqual([]);
  });

  it('is followed by the recorder: what was kept, how it ended, and what was thrown away afterwards', async () => {
    const writer = await RecordingWriter.create(join(folder, 'bag'), { spec: robot, session: 'test' });
    const recorder = rig.start(
      new RecorderNode(rig.context('recorder'), writer, { useSimTime: false, checkTopics: true }),
    );
    rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime', source: 'teleop', supervised: true }));
    supervise({ recorder: true });
    expect(await ask('start')).toMatchObject({ success: false, message: expect.stringContaining('/odom has not') });
    await live(100, { person: 0.1, isStamped: true });
    for (const [i, ways] of [['success'], ['failure', 'discard'], ['discard'], ['failure'], ['stop']].entries()) {
      expect(await ask('start')).toMatchObject({ success: true });
      await live(200, { person: 0.1 * (i + 1), x: i, isStamped: true });
      for (const way of ways) expect(await ask(way), way).toMatchObject({ success: true });
      await live(50, { person: -0.7, isStamped: true });
    }
    await recorder.shutdown();
    expect(recorder.summary).toMatchObject({ episodes: 5, discarded: 2 });
    const { episodes, report } = await readDemonstrations([join(folder, 'bag')], robot);
    expect(report.recordings[0]).toMatchObject({ discarded: 2 });
    expect(episodes.map(({ success, terminated }) => ({ success, terminated }))).toEqual([
      { success: true, terminated: true },
      { success: false, terminated: false },
      { success: null, terminated: false },
    ]);
    // Nothing of the pauses is in them.
    for (const { actions, length } of episodes) {
      expect(length).toBeGreaterThan(10);
      expect(Math.min(...actions)).toBeGreaterThan(0);
    }
  });
});
