import { describe, expect, test } from 'vitest';
import { emptyMessage, type JointState, type JointTrajectory, nanosecondsOf, stampOf } from '#src/messages/index.js';
import { createActionMapper, createSafetyFilter, parseRobotSpec } from '#src/robot/index.js';
import { ms } from './messages.js';

const text = `
robot: arm
description: An arm of two joints.
rate_hz: 20
frame_id: base
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 500 }
observation:
  - { topic: /joint_states, joints: [j1, j2], quantity: position, unit: rad }
command: { topic: /trajectory, type: trajectory_msgs/msg/JointTrajectory, timeout_ms: 500 }
teleop: { topic: /leader, type: sensor_msgs/msg/JointState }
action:
  - { name: j1, joint: j1, unit: rad, low: -3, high: 3, max_rate: 1 }
  - { name: j2, joint: j2, unit: rad, low: -3, high: 3, max_rate: 2 }
estop_topic: /estop
stop: hold
`;
const arm = parseRobotSpec(text, 'arm.yaml');

function trajectory(points: readonly (readonly [seconds: number, j1: number, j2: number])[]): JointTrajectory {
  return {
    ...emptyMessage('trajectory_msgs/msg/JointTrajectory'),
    joint_names: ['j2', 'j1'],
    points: points.map(([seconds, j1, j2]) => ({
      positions: [j2, j1],
      velocities: [],
      accelerations: [],
      effort: [],
      time_from_start: stampOf(ms(1000 * seconds)),
    })),
  };
}

describe('trajectories that are read', () => {
  const mapper = createActionMapper(arm);
  const planned = trajectory([
    [0, 0, 1],
    [0.1, 0.2, 1],
    [0.5, 1, 2],
  ]);

  test.each([
    ['just begun: the point that is due a control period on', 0, [0.1, 1]],
    ['between points', 0.25, [0.6, 1.5]],
    ['at its end', 0.45, [1, 2]],
    ['after its end', 7, [1, 2]],
    ['logged a little late', -0.02, [0.06, 1]],
  ])('%s', (_, since, expected) => {
    mapper.fromMessage(planned, since).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5);
    });
    expect(mapper.lasts(planned)).toBe(0.5);
  });

  test('of one point: that point, whatever its time', () => {
    const one = trajectory([[2, 0.5, -0.5]]);
    expect([...mapper.fromMessage(one)]).toEqual([0.5, -0.5]);
    expect(mapper.lasts(one)).toBe(0);
  });

  test('without points, or with times that go back, is refused', () => {
    expect(() => mapper.fromMessage(trajectory([]))).toThrow(/the command has no point/);
    expect(() =>
      mapper.fromMessage(
        trajectory([
          [0.2, 0, 0],
          [0.1, 0, 0],
        ]),
      ),
    ).toThrow(/points 0 and 1 at 0.2 and 0.1 s; expected: time_from_start that increases/);
  });
});

describe('trajectories that are sent', () => {
  test('take the time that the largest rate needs, also after a late cycle and in the one behind it', () => {
    const filter = createSafetyFilter(arm, { initial: [0, 0] });
    const mapper = createActionMapper(arm);
    let position = 0;
    let from = 0;
    let due = 0;
    let before = 0;
    // Cycles at the control rate, late by up to a period, as a busy machine has them.
    const cycles = [0, 50, 100, 190, 240, 330, 380, 430, 530, 580];
    for (const at of cycles) {
      // Where the arm is: a controller goes straight from where it was to the last point.
      position =
        due > from ? before + ((position - before) * Math.min(at - from, due - from)) / (due - from) : position;
      const { command, reachSeconds } = filter.step({
        nowNs: ms(at),
        action: Float32Array.of(3, 0),
        actionExpiryNs: ms(at + 100),
        observationStampAgeMs: 0,
        takeover: null,
        estop: false,
        heartbeatNs: null,
      });
      const message = mapper.toMessage(command, 0n, reachSeconds) as JointTrajectory;
      const seconds = Number(nanosecondsOf(message.points[0]!.time_from_start)) / 1e9;
      expect(Math.abs(command[0]! - position) / seconds).toBeLessThan(1.001);
      expect(seconds).toBeGreaterThanOrEqual(0.05);
      before = position;
      position = command[0]!;
      from = at;
      due = at + 1000 * seconds;
    }
    expect(position).toBeGreaterThan(0.5);
  });
});

describe('joints with names of their own', () => {
  const leader = (names: string[], positions: number[]): JointState => ({
    ...emptyMessage('sensor_msgs/msg/JointState'),
    name: names,
    position: positions,
  });

  test('a leader arm whose joints are called otherwise', () => {
    const led = parseRobotSpec(
      text.replace(
        'type: sensor_msgs/msg/JointState }\naction',
        'type: sensor_msgs/msg/JointState, joints: { j1: leader_j1, j2: leader_j2 } }\naction',
      ),
      'arm.yaml',
    );
    const mapper = createActionMapper(led, led.commands[0].teleop);
    expect([...mapper.fromMessage(leader(['leader_j2', 'leader_j1'], [2, 1]))]).toEqual([1, 2]);
    expect(() => mapper.fromMessage(leader(['j1', 'j2'], [1, 2]))).toThrow(/also leader_j1, leader_j2/);
    expect(() => createActionMapper(arm, arm.commands[0].teleop).fromMessage(leader(['leader_j1'], [1]))).toThrow(
      /teleop: \{ joints:/,
    );
    // What is commanded keeps the robot's names.
    expect((createActionMapper(led).toMessage([1, 2], 0n) as JointTrajectory).joint_names).toEqual(['j1', 'j2']);
  });

  test.each([
    ['{ j3: x }', /found: 'j3'; expected: a joint of the action: j1, j2/],
    ['{ j1: j2 }', /'j2' for two joints/],
  ])('%s is refused', (joints, why) => {
    const wrong = text.replace('JointState }\naction', `JointState, joints: ${joints} }\naction`);
    expect(() => parseRobotSpec(wrong, 'arm.yaml')).toThrow(why);
  });

  test.each(["'left/waist'", "'elbow 1'", "'ur5e:wrist'", "'1st'", "'shoulder-pan'"])('%s', (name) => {
    const free = parseRobotSpec(text.replaceAll('j1', name).replaceAll(`name: ${name}`, 'name: j1'), 'arm.yaml');
    expect(free.action[0]!.path).toBe(name.slice(1, -1));
    expect(free.observation[0]!.name).toMatch(/^[A-Za-z_][\w.-]*_position$/);
  });
});
