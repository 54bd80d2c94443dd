import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyMessage, stampOf } from '#src/messages/index.js';
import {
  checkContract,
  contractOf,
  createObservationAssembler,
  type ObservationAssembler,
  parseRobotSpec,
  type RobotSpec,
  robotSpecHash,
  withNamespace,
} from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import { goal, ms, odometry, scan, vehicle, vehicleText } from './messages.js';

fc.configureGlobal({ seed: 20261128 });

/** The vehicle with history of its goal's distance (3 periods), its speed (2), and both commands (2). */
const history = parseRobotSpec(
  vehicleText
    .replace('component: planar_distance, low: 0, high: 2', 'component: planar_distance, low: 0, high: 2, steps: 3')
    .replace('unit: m/s, low: -1, high: 1', 'unit: m/s, low: -1, high: 1, steps: 2')
    .replace('command: {', '  - { past_actions: [linear_velocity, angular_velocity], steps: 2 }\ncommand: {'),
  'vehicle.yaml',
);

function see(assembler: ObservationAssembler, atMs: number, speed: number): void {
  assembler.accept('/odom', odometry(atMs, { v: speed, x: atMs / 10_000 }), ms(atMs));
  assembler.accept('/scan', scan(atMs), ms(atMs));
  assembler.accept('/goal_pose', goal(atMs), ms(atMs));
}

function named(spec: RobotSpec, assembler: ObservationAssembler, atMs: number): Record<string, number> {
  const made = assembler.assemble(ms(atMs));
  if (!made.ok) throw new Error(made.text);
  const values = stateOf(made.observation);
  return Object.fromEntries(spec.observation.map(({ name }, i) => [name, Math.fround(values[i]!)]));
}

const speeds = (seen: Record<string, number>) => [seen['linear_velocity[-1]'], seen.linear_velocity];
const commands = (seen: Record<string, number>) => [
  seen['action.linear_velocity[-2]'],
  seen['action.linear_velocity[-1]'],
];
const f = Math.fround;
const cutAt300 = (assembler: ObservationAssembler): number => {
  assembler.cut();
  return 300;
};
const resetAt300 = (assembler: ObservationAssembler): number => {
  assembler.reset();
  return 300;
};

describe('a history of observations and actions', () => {
  it('is named and described in the contract, the oldest first', () => {
    const { observation } = contractOf(history);
    expect(observation.slice(0, 4)).toEqual([
      { name: 'goal_distance[-2]', unit: 'm', low: 0, high: 2 },
      { name: 'goal_distance[-1]', unit: 'm', low: 0, high: 2 },
      { name: 'goal_distance', unit: 'm', low: 0, high: 2 },
      expect.objectContaining({ name: 'goal_bearing_sin' }),
    ]);
    expect(observation.slice(-4)).toEqual([
      { name: 'action.linear_velocity[-2]', unit: 'm/s', low: -0.2, high: 0.6 },
      { name: 'action.angular_velocity[-2]', unit: 'rad/s', low: -1.8, high: 1.8 },
      { name: 'action.linear_velocity[-1]', unit: 'm/s', low: -0.2, high: 0.6 },
      { name: 'action.angular_velocity[-1]', unit: 'rad/s', low: -1.8, high: 1.8 },
    ]);
    expect(() => checkContract(contractOf(history), history)).not.toThrow();
    expect(() => checkContract(contractOf(vehicle), history)).toThrow(
      expect.objectContaining({ code: 'MISMATCH', found: expect.stringContaining('goal_distance[-2]') }),
    );
  });

  it('leaves the contract of a description without history as it was', () => {
    // Computed before there was any history: a policy of that time still fits.
    expect(robotSpecHash(vehicle)).toBe('9f6b7b8b29e64575dc41b13c62e986643d9457b2b053aecae2114342cdb85eb3');
  });

  it('stacks an entry of several numbers as a whole', () => {
    const text = vehicleText.replace('sectors: 15, low: 0', 'sectors: 2, steps: 2, low: 0');
    const names = parseRobotSpec(text, 'vehicle.yaml').observation.map(({ name }) => name);
    expect(names.slice(3, 7)).toEqual(['scan_0[-1]', 'scan_1[-1]', 'scan_0', 'scan_1']);
  });

  it('begins with the first value again and with commands of a robot at rest, and moves on by a period', () => {
    const assembler = createObservationAssembler(history);
    see(assembler, 0, 0.1);
    const first = named(history, assembler, 0);
    expect(speeds(first)).toEqual([f(0.1), f(0.1)]);
    expect(commands(first)).toEqual([0, 0]);
    expect(first['goal_distance[-2]']).toBe(first.goal_distance);
    assembler.executed([0.5, -1]);
    see(assembler, 100, 0.2);
    const second = named(history, assembler, 100);
    expect(speeds(second)).toEqual([f(0.1), f(0.2)]);
    expect(commands(second)).toEqual([0, f(0.5)]);
    expect(second['action.angular_velocity[-1]']).toBe(-1);
    assembler.executed([0.4, 0]);
    // A person's command within the same period: the last one is what the robot did.
    assembler.executed([0.3, 0]);
    see(assembler, 200, 0.3);
    const third = named(history, assembler, 200);
    expect(speeds(third)).toEqual([f(0.2), f(0.3)]);
    expect(commands(third)).toEqual([f(0.5), f(0.3)]);
    expect([third['goal_distance[-2]'], third['goal_distance[-1]'], third.goal_distance]).toEqual([
      first.goal_distance,
      second.goal_distance,
      third.goal_distance,
    ]);
  });

  it('clamps a past command to the limits of its action, as the filter would have', () => {
    const assembler = createObservationAssembler(history);
    see(assembler, 0, 0);
    named(history, assembler, 0);
    assembler.executed([9, 0]);
    see(assembler, 100, 0);
    expect(commands(named(history, assembler, 100))).toEqual([0, f(0.6)]);
  });

  it.each<[string, (assembler: ObservationAssembler) => number]>([
    ['an episode begins', cutAt300],
    ['a period was missed', () => 400],
    ['everything known was dropped', resetAt300],
    [
      'a state was stale in between',
      (assembler) => {
        expect(assembler.assemble(ms(900))).toMatchObject({ ok: false, reason: 'stale' });
        return 900;
      },
    ],
    [
      'the clock jumped',
      (assembler) => {
        assembler.accept('/odom', odometry(90_000), ms(300));
        expect(assembler.assemble(ms(300))).toMatchObject({ ok: false, reason: 'clock_jump' });
        return 90_000;
      },
    ],
  ])('begins anew where %s', (_, happens) => {
    const assembler = createObservationAssembler(history);
    for (const at of [0, 100, 200]) {
      see(assembler, at, at / 1000);
      named(history, assembler, at);
      assembler.executed([0.5, 0]);
    }
    const next = happens(assembler);
    see(assembler, next, 0.7);
    const seen = named(history, assembler, next);
    expect(speeds(seen)).toEqual([f(0.7), f(0.7)]);
    expect(commands(seen)).toEqual([0, 0]);
  });

  it('goes on over jitter of less than a period', () => {
    const assembler = createObservationAssembler(history);
    for (const [k, at] of [0, 55, 205, 390].entries()) {
      see(assembler, at, k / 10);
      expect(speeds(named(history, assembler, at))).toEqual([f(Math.max(0, k - 1) / 10), f(k / 10)]);
    }
  });

  it('looking at the state between two periods leaves the history alone', () => {
    const assembler = createObservationAssembler(history);
    see(assembler, 0, 0.1);
    named(history, assembler, 0);
    see(assembler, 50, 0.9);
    expect(assembler.look(ms(50))).toEqual({ ok: true, stampNs: ms(50), ageMs: 0 });
    see(assembler, 100, 0.2);
    expect(speeds(named(history, assembler, 100))).toEqual([f(0.1), f(0.2)]);
  });

  it('has the same present values as a description without history, and its past ones are those of before', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -0.9, max: 0.9, noNaN: true }), { minLength: 1, maxLength: 8 }), (way) => {
        const [plain, with_] = [createObservationAssembler(vehicle), createObservationAssembler(history)];
        const before: Record<string, number>[] = [];
        way.forEach((speed, k) => {
          see(plain, 100 * k, speed);
          see(with_, 100 * k, speed);
          const seen = named(history, with_, 100 * k);
          expect(seen).toMatchObject(named(vehicle, plain, 100 * k));
          expect(seen['goal_distance[-2]']).toBe((before[k - 2] ?? before[0] ?? seen).goal_distance);
          before.push(seen);
        });
      }),
    );
  });

  it('is the same under a namespace', () => {
    const moved = withNamespace(history, 'bot1');
    const assembler = createObservationAssembler(moved);
    for (const at of [0, 100]) {
      assembler.accept('/bot1/odom', odometry(at, { v: at / 1000 }), ms(at));
      assembler.accept('/bot1/scan', scan(at), ms(at));
      assembler.accept('/bot1/goal_pose', goal(at), ms(at));
      expect(speeds(named(moved, assembler, at))).toEqual([0, f(at / 1000)]);
    }
  });

  const arm = (observed: string) => `
robot: arm
description: Two joints that are commanded by position.
rate_hz: 10
frame_id: base
state: { /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 500 } }
observation: [${observed}{ past_actions: [elbow, wrist], steps: 2 }]
command: { topic: /commands, type: sensor_msgs/msg/JointState, timeout_ms: 500 }
teleop: { topic: /leader }
action:
  - { name: elbow, joint: elbow, unit: rad, low: -2, high: 2 }
  - { name: wrist, joint: wrist, unit: rad, low: -2, high: 0.5 }
estop_topic: /estop
stop: hold
`;
  const joints = (list: string) => `{ topic: /joint_states, joints: [${list}], quantity: position, unit: rad }, `;

  it('of a robot that holds its position, a command before the first is where it stands, within its limits', () => {
    const spec = parseRobotSpec(arm(joints('wrist, elbow')), 'arm.yaml');
    const assembler = createObservationAssembler(spec);
    const stand = (at: number, wrist: number, elbow: number) => {
      const message = { ...emptyMessage('sensor_msgs/msg/JointState'), name: ['elbow', 'wrist'] };
      message.header.stamp = stampOf(ms(at));
      assembler.accept('/joint_states', { ...message, position: [elbow, wrist] }, ms(at));
      return named(spec, assembler, at);
    };
    expect(stand(1000, 0.75, -1)).toMatchObject({ 'action.elbow[-1]': -1, 'action.wrist[-1]': 0.5 });
    assembler.executed([-0.9, 0.4]);
    // The robot moves, and yet before the first command it was given where it had stood then.
    expect(stand(1100, 0.25, -0.9)).toMatchObject({
      'action.elbow[-2]': -1,
      'action.wrist[-2]': 0.5,
      'action.elbow[-1]': f(-0.9),
      'action.wrist[-1]': f(0.4),
    });
  });

  it('refuses past positions of a robot whose position at rest is not observed', () => {
    expect(() => parseRobotSpec(arm(joints('wrist')), 'arm.yaml')).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG', remedy: expect.stringContaining('joints: [elbow]') }),
    );
  });

  it.each([
    ['no steps', 'high: 2, steps: 0 }', 'found: 0'],
    ['half a step', 'high: 2, steps: 1.5 }', 'a whole number of control periods'],
    ['more than can be meant', 'high: 2, steps: 65 }', 'at most 64'],
  ])('refuses %s', (_, to, text) => {
    expect(() => parseRobotSpec(vehicleText.replace('high: 2 }', to), 'vehicle.yaml')).toThrow(text);
  });

  it('refuses past actions that there are not, with the nearest name', () => {
    const text = vehicleText.replace('command: {', '  - { past_actions: [linear_velocit] }\ncommand: {');
    expect(() => parseRobotSpec(text, 'vehicle.yaml')).toThrow(
      expect.objectContaining({ remedy: "did you mean 'linear_velocity'?" }),
    );
  });
});
