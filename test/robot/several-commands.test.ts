import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Float64MultiArray, JointState, JointTrajectory, TwistStamped } from '#src/messages/index.js';
import { header } from '#src/messages/index.js';
import {
  CommandMapper,
  createSafetyFilter,
  parseRobotSpec,
  robotParts,
  type SafetyInput,
  Takeover,
  withNamespace,
  withStampedTwist,
} from '#src/robot/index.js';
import { ms } from './messages.js';

const path = fileURLToPath(new URL('../../config/robots/mobile_manipulator.yaml', import.meta.url));
const text = readFileSync(path, 'utf8');
const spec = parseRobotSpec(text, 'mobile_manipulator.yaml');
/** In the order of the action: forward, turn, four joints of the arm, the gripper. */
const action = [0.2, -0.5, 1, -1, 0.5, 0.25, 0.03];
const rounded = (values: ArrayLike<number>): number[] => Array.from(values, (v) => Math.round(v * 1e4) / 1e4);

function refusal(from: string, to: string): string {
  expect(text).toContain(from);
  try {
    parseRobotSpec(text.replace(from, to), 'robot.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

describe('a robot with several command topics', () => {
  it('has one action, and each command its part of it', () => {
    expect(spec.commands.map(({ name, topic, teleop }) => [name, topic, teleop.topic])).toEqual([
      ['base', '/cmd_vel', '/teleop/cmd_vel'],
      ['arm', '/arm_controller/joint_trajectory', '/teleop/arm'],
      ['gripper', '/gripper_controller/commands', '/teleop/gripper'],
    ]);
    expect(robotParts(spec).map(({ at }) => at)).toEqual([[0, 1], [2, 3, 4, 5], [6]]);
    expect(spec.action.map(({ stop }) => stop)).toEqual(['zero', 'zero', 'hold', 'hold', 'hold', 'hold', 'hold']);
  });

  it('is commanded by one message on each topic, whatever order the entries of the action have', () => {
    const [twist, trajectory, gripper] = new CommandMapper(spec, (each) => each).toMessages(action, 7n, 0.1, true);
    expect(twist).toMatchObject({ topic: '/cmd_vel' });
    expect((twist!.message as TwistStamped).twist).toEqual({
      linear: { x: 0.2, y: 0, z: 0 },
      angular: { x: 0, y: 0, z: -0.5 },
    });
    expect((twist!.message as TwistStamped).header.stamp.nanosec).toBe(7);
    const { joint_names, points, header: head } = trajectory!.message as JointTrajectory;
    expect(joint_names).toEqual(['shoulder_pan', 'shoulder_lift', 'elbow', 'wrist']);
    expect([...points[0]!.positions]).toEqual([1, -1, 0.5, 0.25]);
    expect(head.stamp).toEqual({ sec: 0, nanosec: 0 });
    expect([...(gripper!.message as Float64MultiArray).data]).toEqual([0.03]);

    const entries = text.split('\n').filter((line) => line.startsWith('  - { name:') && line.includes('command:'));
    const mixed = text.replace(entries.join('\n'), [...entries].reverse().join('\n'));
    const turned = parseRobotSpec(mixed, 'robot.yaml');
    const again = new CommandMapper(turned, (each) => each).toMessages([...action].reverse(), 7n, 0.1, true);
    expect((again[0]!.message as TwistStamped).twist).toEqual((twist!.message as TwistStamped).twist);
    expect([...(again[1]!.message as JointTrajectory).points[0]!.positions]).toEqual([0.25, 0.5, -1, 1]);
  });

  it.each([
    [
      'an action of no command',
      'command: gripper, joint: gripper_finger',
      'joint: gripper_finger',
      /no command.*base, arm, gripper/,
    ],
    [
      'an action of a command that there is not',
      'command: gripper,',
      'command: griper,',
      /'griper'.*did you mean 'gripper'/,
    ],
    [
      'a command without an action',
      'command: gripper, joint',
      'command: arm, joint',
      /one quantity|no entry of action/,
    ],
    ['a command without teleoperation', '  gripper: { topic: /teleop/gripper }\n', '', /teleop.*without gripper/],
    [
      'teleoperation of a command that there is not',
      'gripper: { topic: /teleop/gripper }',
      'hand: { topic: /teleop/gripper }',
      /'hand'/,
    ],
    ['two commands on one topic', '/gripper_controller/commands', '/cmd_vel', /\/cmd_vel a second time/],
    ['two persons on one topic', '/teleop/gripper', '/teleop/arm', /\/teleop\/arm a second time/],
    ['a person on the topic of another command', '/teleop/gripper', '/cmd_vel', /command topic too/],
    [
      'a stop for some of them',
      'stop: { base: zero, arm: hold, gripper: hold }',
      'stop: { base: zero, arm: hold }',
      /without gripper/,
    ],
    ['velocities that are held', 'base: zero, arm', 'base: hold, arm', /action\[0\]\.unit.*positions/],
    ['a joint twice in one command', 'joint: wrist,', 'joint: elbow,', /'elbow' a second time/],
    [
      'a joint in two commands',
      'command: gripper, joint: gripper_finger',
      'command: gripper, joint: wrist',
      /action\[6\]\.joint.*'wrist' on \/gripper_controller\/commands and on \/arm_controller\/joint_trajectory.*one command topic.*keep the entry/,
    ],
    [
      'a command that is state, too',
      'topic: /gripper_controller/commands',
      'topic: /joint_states',
      /joint_states, which is a state topic/,
    ],
    [
      'a button of one of them',
      'base: { topic: /teleop/cmd_vel }',
      'base: { topic: /teleop/cmd_vel, deadman: { topic: /joy, button: 1 } }',
      /one button for all/,
    ],
  ])('refuses %s, by line and path', (_, from, to, message) => {
    expect(refusal(from, to)).toMatch(message);
    expect(refusal(from, to)).toMatch(/^robot\.yaml:\d+ /);
  });

  it('has one dead-man button, and may stop in one way', () => {
    const one = text
      .replace(
        'base: { topic: /teleop/cmd_vel }',
        'deadman: { topic: /joy, button: 4 }\n  base: { topic: /teleop/cmd_vel }',
      )
      .replace('stop: { base: zero, arm: hold, gripper: hold }', 'stop: zero');
    const robot = parseRobotSpec(one, 'robot.yaml');
    expect(robot.deadman).toEqual({ topic: '/joy', button: 4, timeoutMs: 250 });
    expect(new Set(robot.action.map(({ stop }) => stop))).toEqual(new Set(['zero']));
  });

  it('moves into a namespace, and changes its twist, as a whole', () => {
    const moved = withNamespace(spec, 'bot1');
    expect(moved.commands.flatMap(({ topic, teleop }) => [topic, teleop.topic])).toEqual(
      spec.commands.flatMap(({ topic, teleop }) => [`/bot1${topic}`, `/bot1${teleop.topic}`]),
    );
    const plain = withStampedTwist(spec, false);
    expect(plain.commands.map(({ type }) => type)).toEqual([
      'geometry_msgs/msg/Twist',
      'trajectory_msgs/msg/JointTrajectory',
      'std_msgs/msg/Float64MultiArray',
    ]);
    expect(plain.action.map(({ path }) => path).slice(0, 3)).toEqual(['linear.x', 'angular.z', 'shoulder_pan']);
    expect(withStampedTwist(plain, true)).toEqual(spec);
  });
});

describe('the safety filter of several commands', () => {
  const initial = [0, 0, 0.9, -0.9, 0.45, 0.2, 0.03];
  const cycle = (at: number, more: Partial<SafetyInput> = {}): SafetyInput => ({
    nowNs: ms(at),
    action: Float32Array.from(action),
    actionExpiryNs: ms(at + 100),
    observationStampAgeMs: 0,
    takeover: null,
    estop: false,
    heartbeatNs: null,
    ...more,
  });

  it.each([
    ['the e-stop', { estop: true }, 'ESTOP'],
    ['a stale state', { observationStampAgeMs: 900 }, 'HOLDING'],
    ['a state that is not known', { observationStampAgeMs: null }, 'HOLDING'],
    [
      'an action that is not finite',
      { action: Float32Array.from(action, (v, i) => (i === 6 ? Number.NaN : v)) },
      'FAULT',
    ],
    ['a blocked event loop', { blockedMs: 400 }, 'HOLDING'],
  ])('%s stops every part in the same cycle: velocities at 0, positions where they are', (_, more, state) => {
    const filter = createSafetyFilter(spec, { initial });
    for (let at = 0; at <= 1000; at += 50) filter.step(cycle(at));
    const before = filter.command;
    expect(rounded(before)).toEqual(action);
    const output = filter.step(cycle(1050, more));
    expect(output.state).toBe(state);
    expect(rounded(output.command)).toEqual([0, 0, ...action.slice(2)]);
  });

  it('has to know where the held parts are', () => {
    expect(() => createSafetyFilter(spec)).toThrow(/shoulder_pan|needs to know what to hold/);
  });
});

describe('a person who takes over a robot with several commands', () => {
  const twist = (x: number, at: number): TwistStamped => ({
    header: header(ms(at), 'base_link'),
    twist: { linear: { x, y: 0, z: 0 }, angular: { x: 0, y: 0, z: 0 } },
  });
  const arm = (value: number): JointState => ({
    header: header(0n, ''),
    name: ['wrist', 'elbow', 'shoulder_lift', 'shoulder_pan'],
    position: Float64Array.of(value, value, value, value),
    velocity: new Float64Array(0),
    effort: new Float64Array(0),
  });
  const current = [0.4, 0.4, 0.1, 0.2, 0.3, 0.4, 0.01];

  it('commands some of it: the others rest, velocities at 0, positions at the last command', () => {
    const takeover = new Takeover(spec);
    expect(takeover.take(ms(0), current)).toBeNull();
    expect(takeover.accept('/teleop/cmd_vel', twist(0.3, 10), ms(10))).toBe(true);
    expect(takeover.isWhole).toBe(false);
    const first = takeover.take(ms(20), current)!;
    expect(rounded(first.action)).toEqual([0.3, 0, 0.1, 0.2, 0.3, 0.4, 0.01]);
    expect(first.untilNs).toBe(ms(270));
    expect(takeover.take(ms(40), current)).toBeNull();

    takeover.accept('/teleop/arm', arm(0.5), ms(100));
    const both = takeover.take(ms(120), current)!;
    expect(rounded(both.action)).toEqual([0.3, 0, 0.5, 0.5, 0.5, 0.5, 0.01]);
    // The base's command ends first. Then it stands, while the arm is still commanded.
    expect(both.untilNs).toBe(ms(270));
    expect(takeover.take(ms(270), both.action)).toBeNull();
    const rest = takeover.take(ms(271), both.action)!;
    expect(rounded(rest.action)).toEqual([0, 0, 0.5, 0.5, 0.5, 0.5, 0.01]);
    expect(rest.untilNs).toBe(ms(370));
    expect(takeover.take(ms(400), rest.action)).toBeNull();
  });

  it('is not heard where a command cannot be used', () => {
    const takeover = new Takeover(spec);
    expect(takeover.accept('/teleop/gripper', { layout: { dim: [], data_offset: 0 }, data: [1, 2] }, ms(10))).toBe(
      false,
    );
    expect(takeover.lastProblem).toMatch(/wrong length.*gripper/);
    expect(takeover.counters.malformed).toBe(1);
    expect(takeover.take(ms(20), current)).toBeNull();
  });

  it('loses the robot’s parts one by one in the safety filter, none later than its own timeout', () => {
    const filter = createSafetyFilter(spec, { initial: current.map((v, i) => (i < 2 ? 0 : v)) });
    const takeover = new Takeover(spec);
    const speeds: [at: number, x: number][] = [];
    for (let at = 0; at <= 1000; at += 10) {
      if (at === 50) takeover.accept('/teleop/cmd_vel', twist(0.3, at), ms(at));
      if (at % 50 === 0 && at <= 800) takeover.accept('/teleop/arm', arm(0.2), ms(at));
      const person = takeover.take(ms(at), filter.command);
      const { command, state } = filter.step({
        nowNs: ms(at),
        action: null,
        actionExpiryNs: null,
        observationStampAgeMs: 0,
        takeover: person?.action ?? null,
        ...(person === null ? {} : { takeoverUntilNs: person.untilNs }),
        estop: false,
        heartbeatNs: null,
      });
      expect(state).toBe('TAKEOVER');
      speeds.push([at, command[0]!]);
    }
    const driven = speeds.filter(([, x]) => x > 0.01).map(([at]) => at);
    expect(driven[0]).toBeLessThanOrEqual(80);
    // 250 ms after its last command the base brakes at its largest rate (1 m/s²: 0.3 s), and stands.
    expect(Math.max(...driven)).toBeLessThanOrEqual(50 + 250 + 310);
    expect(Math.max(...speeds.filter(([at]) => at > 310).map(([, x]) => x))).toBeLessThan(0.3);
  });
});
