import { describe, expect, test } from 'vitest';
import { emptyMessage, type MessageTypeName, type MessageTypes, stampOf } from '#src/messages/index.js';
import { createObservationAssembler, describeRefusal, parseRobotSpec } from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import { ms, odometry, vehicleText } from './messages.js';

/** The vehicle with one more state topic and one feature of it. */
function withFeature(type: string, feature: string) {
  const text = vehicleText
    .replace(/ {2}\/scan:.*\n/, '')
    .replace(/ {2}\/goal_pose:.*\n/, `  /extra: { type: ${type}, timeout_ms: 500 }\n`)
    .replace(/ {2}# A goal.*\n/, '')
    .replace(/ {2}- \{ name: goal[^\n]*\n/g, '')
    .replace(/ {2}- \{ name: scan[^\n]*\n/, `  - { topic: /extra, ${feature} }\n`)
    .replace(/ {2}# scan_0[^\n]*\n/, '');
  return parseRobotSpec(text, 'vehicle.yaml');
}

function seen<Name extends MessageTypeName>(type: Name, feature: string, message: MessageTypes[Name]): number | string {
  const assembler = createObservationAssembler(withFeature(type, feature));
  assembler.accept('/odom', odometry(1000), ms(0), ms(1000));
  assembler.accept('/extra', message, ms(0), ms(1000));
  const result = assembler.assemble(ms(10));
  return result.ok ? stateOf(result.observation)[0]! : describeRefusal(assembler.refusals[0]!.refusal);
}
const header = { stamp: stampOf(ms(1000)), frame_id: '' };

describe('features of', () => {
  test('a force and torque sensor', () => {
    const message = emptyMessage('geometry_msgs/msg/WrenchStamped');
    message.header = header;
    message.wrench.force.z = -9.5;
    expect(seen('geometry_msgs/msg/WrenchStamped', 'name: push, field: wrench.force.z, unit: N', message)).toBe(-9.5);
    expect(seen('geometry_msgs/msg/Wrench', 'name: push, field: force.z, unit: N', message.wrench)).toBe(-9.5);
  });

  test('numbers and truth values without a stamp: their arrival counts', () => {
    expect(seen('std_msgs/msg/Float64', "name: level, field: data, unit: '1'", { data: 0.25 })).toBe(0.25);
    expect(seen('std_msgs/msg/Float32', "name: level, field: data, unit: '1'", { data: 0.25 })).toBe(0.25);
    expect(seen('std_msgs/msg/Bool', "name: grasped, field: data, unit: '1'", { data: true })).toBe(1);
    expect(seen('std_msgs/msg/Bool', "name: grasped, field: data, unit: '1'", { data: false })).toBe(0);
  });

  test('a joystick, and lists of numbers by their place', () => {
    const joy = { header, axes: Float32Array.of(0, -0.5), buttons: Int32Array.of(0, 0, 1) };
    expect(seen('sensor_msgs/msg/Joy', "name: stick, field: 'axes[1]', unit: '1'", joy)).toBe(-0.5);
    expect(seen('sensor_msgs/msg/Joy', "name: go, field: 'buttons[2]', unit: '1'", joy)).toBe(1);
    expect(seen('sensor_msgs/msg/Joy', "name: stick, field: 'axes[7]', unit: '1'", joy)).toBe(
      '/extra: axes is a list of 2, expected one that has axes[7]',
    );
    const list = { layout: { dim: [], data_offset: 0 }, data: Float64Array.of(1, 2, 3) };
    expect(seen('std_msgs/msg/Float64MultiArray', "name: third, field: 'data[2]', unit: '1'", list)).toBe(3);
  });

  test('a range of one beam, by REP 117', () => {
    const range = (value: number) => ({
      ...emptyMessage('sensor_msgs/msg/Range'),
      header,
      min_range: 0.02,
      max_range: 2,
      range: value,
    });
    const read = (value: number) =>
      seen('sensor_msgs/msg/Range', 'name: sonar, sectors: 1, low: 0, high: 4', range(value));
    expect(read(1.5)).toBe(1.5);
    expect(read(Number.POSITIVE_INFINITY)).toBe(2);
    expect(read(Number.NEGATIVE_INFINITY)).toBeCloseTo(0.02);
    expect(read(Number.NaN)).toContain('/extra: ranges is NaN');
  });

  test.each([
    [
      "name: a, field: 'axes', unit: '1'",
      'sensor_msgs/msg/Joy',
      /expected: a number in sensor_msgs\/msg\/Joy: axes\[i\], buttons\[i\]/,
    ],
    [
      'name: a, field: wrench.force.x, unit: N·m',
      'geometry_msgs/msg/WrenchStamped',
      /'N', the unit of wrench\.force\.x/,
    ],
    ['name: a, field: angular_velocity.z, unit: m/s', 'sensor_msgs/msg/Imu', /expected: 'rad\/s'/],
  ])('%s is refused', (feature, type, why) => {
    expect(() => withFeature(type, feature)).toThrow(why);
  });

  test('the unit of a command is the message’s', () => {
    expect(() =>
      parseRobotSpec(vehicleText.replace('path: twist.linear.x, unit: m/s', 'path: twist.linear.x, unit: rad/s'), 'v'),
    ).toThrow(/found: the unit 'rad\/s'; expected: 'm\/s', the unit of twist\.linear\.x/);
  });
});
