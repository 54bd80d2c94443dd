import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, encode, type MessageTypeName, nanosecondsOf } from '#src/messages/index.js';
import { createActionMapper, loadRobotSpec, parseRobotSpec, type RobotSpec } from '#src/robot/index.js';
import { vehicle, vehicleText } from './messages.js';

fc.configureGlobal({ seed: 20261121 });

const hopper = loadRobotSpec('hopper');
const hopperText = readFileSync(new URL('../../config/robots/hopper.yaml', import.meta.url), 'utf8');
const twist = parseRobotSpec(
  vehicleText.replace('TwistStamped, timeout', 'Twist, timeout').replaceAll('path: twist.', 'path: '),
  'twist.yaml',
);
const jointRobot = (type: string, unit: string): RobotSpec =>
  parseRobotSpec(
    hopperText.replace('std_msgs/msg/Float64MultiArray', type).replaceAll('unit: "1"', `unit: ${unit}`),
    'joints.yaml',
  );
const car = loadRobotSpec('f1tenth');
const carText = readFileSync(new URL('../../config/robots/f1tenth.yaml', import.meta.url), 'utf8');
const unstampedCar = parseRobotSpec(
  carText.replace('DriveStamped, timeout', 'Drive, timeout').replaceAll('path: drive.', 'path: '),
  'car.yaml',
);
const robots: readonly [string, RobotSpec][] = [
  ['TwistStamped', vehicle],
  ['Twist', twist],
  ['Float64MultiArray', hopper],
  ['JointState efforts', jointRobot('sensor_msgs/msg/JointState', 'N·m')],
  ['JointState positions', jointRobot('sensor_msgs/msg/JointState', 'rad')],
  ['JointTrajectory positions', jointRobot('trajectory_msgs/msg/JointTrajectory', 'rad')],
  ['JointTrajectory velocities', jointRobot('trajectory_msgs/msg/JointTrajectory', 'rad/s')],
  ['JointJog', jointRobot('control_msgs/msg/JointJog', 'rad/s')],
  ['AckermannDriveStamped', car],
  ['AckermannDrive', unstampedCar],
];

describe('action mapper', () => {
  test.each(robots)('%s carries any finite action there and back, also over CDR', (_, spec) => {
    const mapper = createActionMapper(spec);
    const action = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: spec.action.length,
      maxLength: spec.action.length,
    });
    fc.assert(
      fc.property(action, (values) => {
        const message = mapper.toMessage(Float32Array.from(values), 1_500_000_000n);
        expect([...mapper.fromMessage(message)]).toEqual(values);
        const type = spec.commands[0].type as MessageTypeName;
        expect([...mapper.fromMessage(decode(type, encode(type, message as never)))]).toEqual(values);
      }),
      { numRuns: 30 },
    );
  });

  test.each(robots)('%s refuses NaN, infinities and wrong lengths both ways', (_, spec) => {
    const mapper = createActionMapper(spec);
    const zeros = spec.action.map(() => 0);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => mapper.toMessage([bad, ...zeros.slice(1)], 0n)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
      const message = JSON.parse(
        JSON.stringify(mapper.toMessage(zeros, 0n), (_key, value) =>
          ArrayBuffer.isView(value) ? [...(value as Float64Array)] : value,
        ),
      );
      const poison = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map((inner) => (typeof inner === 'number' ? bad : poison(inner)));
        if (typeof value !== 'object' || value === null) return value;
        return Object.fromEntries(
          Object.entries(value).map(([key, inner]) => [
            key,
            ['header', 'layout', 'time_from_start', 'displacements', 'duration'].includes(key)
              ? inner
              : typeof inner === 'number'
                ? bad
                : poison(inner),
          ]),
        );
      };
      expect(() => mapper.fromMessage(poison(message))).toThrow(expect.objectContaining({ code: 'CORRUPT_DATA' }));
    }
    expect(() => mapper.toMessage([...zeros, 0], 0n)).toThrow(/expected: \d: /);
  });

  test('a twist is stamped, framed, and zero where the action says nothing', () => {
    const message = createActionMapper(vehicle).toMessage([0.5, -1], 2_000_000_003n);
    expect(message).toEqual({
      header: { stamp: { sec: 2, nanosec: 3 }, frame_id: 'base_link' },
      twist: { linear: { x: 0.5, y: 0, z: 0 }, angular: { x: 0, y: 0, z: -1 } },
    });
  });

  test('joint commands are read by name; missing joints are listed', () => {
    const [, spec] = robots[5]!;
    const mapper = createActionMapper(spec);
    const message = mapper.toMessage([1, 2, 3], 0n) as {
      joint_names: string[];
      points: { positions: ArrayLike<number>; time_from_start: { sec: number; nanosec: number } }[];
    };
    expect(nanosecondsOf(message.points[0]!.time_from_start)).toBe(8_000_000n);
    const shuffled = {
      ...message,
      joint_names: ['gripper', 'foot_joint', 'thigh_joint', 'leg_joint'],
      points: [{ ...message.points[0]!, positions: [9, 3, 1, 2] }],
    };
    expect([...mapper.fromMessage(shuffled)]).toEqual([1, 2, 3]);
    expect(() => mapper.fromMessage({ ...shuffled, joint_names: ['gripper', 'a', 'b', 'leg_joint'] })).toThrow(
      /lacks joints.*also thigh_joint, foot_joint/,
    );
    expect(() => mapper.fromMessage({ ...message, points: [] })).toThrow(/empty trajectory/);
  });

  test('a JointJog moves the joints it names; steps, other joints and lists that do not fit are refused', () => {
    const spec = loadRobotSpec('ur5e_servo');
    const mapper = createActionMapper(spec, spec.commands[0].teleop);
    const jog = {
      joint_names: ['wrist_3_joint', 'elbow_joint'],
      velocities: [0.5, -1],
      displacements: [],
      duration: 0,
    };
    const header = { stamp: { sec: 1, nanosec: 0 }, frame_id: '' };
    const read = (changes: object) => [...mapper.fromMessage({ header, ...jog, ...changes })];
    expect(read({})).toEqual([0, 0, -1, 0, 0, 0.5]);
    // Some publishers fill both lists.
    expect(read({ displacements: [0, 0] })).toEqual([0, 0, -1, 0, 0, 0.5]);
    expect(read({ joint_names: [], velocities: [] })).toEqual([0, 0, 0, 0, 0, 0]);
    expect(() => read({ displacements: [0.1, 0] })).toThrow(/a step, not a velocity.*0\.1, 0/);
    expect(() => read({ displacements: [Number.NaN, 0] })).toThrow(/a step/);
    expect(() => read({ velocities: [0.5] })).toThrow(/1 velocities for 2 joints/);
    expect(() => read({ joint_names: ['wrist_3_joint', 'elbow'] })).toThrow(/found: elbow;/);
    const sent = mapper.toMessage([0.1, 0, 0, 0, 0, -0.2], 0n);
    expect(sent).toMatchObject({ duration: 0.05, displacements: new Float64Array(0) });
  });

  test('an array of another length is refused', () => {
    expect(() => createActionMapper(hopper).fromMessage({ layout: { dim: [], data_offset: 0 }, data: [1, 2] })).toThrow(
      /2 numbers/,
    );
  });
});
