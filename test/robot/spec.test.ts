import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { loadRobotSpec, parseRobotSpec, robotNames } from '#src/robot/index.js';
import { vehicle as spec, vehicleText } from './messages.js';

const hopper = readFileSync(new URL('../../config/robots/hopper.yaml', import.meta.url), 'utf8');

/** The error of the text with `from` replaced by `to`; the line is that of the change. */
function refusalOf(text: string, from: string, to: string): { error: IqLearnError; line: number } {
  expect(text).toContain(from);
  const line = text.slice(0, text.indexOf(from)).split('\n').length;
  try {
    parseRobotSpec(text.replace(from, to), 'robot.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(IqLearnError);
    return { error: error as IqLearnError, line };
  }
  throw new Error(`accepted: ${to}`);
}

describe('RobotSpec', () => {
  test('every robot of config/robots is valid and named after its file', () => {
    expect(robotNames()).toEqual(expect.arrayContaining(['ant', 'arm', 'halfcheetah', 'hopper', 'rover', 'walker2d']));
    for (const name of robotNames()) expect(loadRobotSpec(name).robot).toBe(name);
  });

  test('the compact form expands to one feature a number, in order', () => {
    expect(spec.observation.map(({ name }) => name)).toEqual([
      'goal_distance',
      'goal_bearing_sin',
      'goal_bearing_cos',
      ...Array.from({ length: 15 }, (_, i) => `scan_${i}`),
      'linear_velocity',
      'angular_velocity',
    ]);
    expect(spec.observation[5]).toEqual({
      name: 'scan_2',
      unit: 'm',
      low: 0,
      high: 2,
      source: { kind: 'sector', topic: '/scan', index: 2, sectors: 15 },
    });
    expect(spec.stateTopics[1]).toEqual({
      topic: '/scan',
      type: 'sensor_msgs/msg/LaserScan',
      timeoutMs: 500,
      frameId: 'base_scan',
    });
    expect(spec.action[1]).toEqual({
      name: 'angular_velocity',
      unit: 'rad/s',
      low: -1.8,
      high: 1.8,
      path: 'twist.angular.z',
      maxRate: 36,
      command: 'command',
      stop: 'zero',
    });
    expect(spec.commands[0].teleop).toEqual({
      topic: '/teleop/cmd_vel',
      type: 'geometry_msgs/msg/TwistStamped',
      timeoutMs: 500,
    });
    expect(loadRobotSpec('hopper').observation.map(({ name }) => name)).toEqual([
      ...['rootz', 'rooty', 'thigh_joint', 'leg_joint', 'foot_joint'].map((joint) => `${joint}_position`),
      ...['rootx', 'rootz', 'rooty', 'thigh_joint', 'leg_joint', 'foot_joint'].map((joint) => `${joint}_velocity`),
    ]);
  });

  test('joints take a unit, a limit and a name each', () => {
    const spec = parseRobotSpec(
      hopper
        .replace(
          '{ topic: /joint_states, joints: [rootz], quantity: position, unit: m }',
          '{ topic: /joint_states, joints: [rootz, rooty], quantity: position, names: [height, pitch], unit: [m, rad], low: [0, -1], high: 3 }',
        )
        .replace(
          'joints: [rooty, thigh_joint, leg_joint, foot_joint], quantity: position',
          'joints: [foot_joint], quantity: position',
        ),
      'robot.yaml',
    );
    expect(spec.observation.slice(0, 3)).toMatchObject([
      { name: 'height', unit: 'm', low: 0, high: 3, source: { joint: 'rootz', quantity: 'position' } },
      { name: 'pitch', unit: 'rad', low: -1, high: 3, source: { joint: 'rooty' } },
      { name: 'foot_joint_position', low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
    ]);
  });

  test.each([
    ['a field of the wrong type', 'rate_hz: 10', 'rate_hz: fast', 'rate_hz', 'found: "fast"'],
    ['a rate out of range', 'rate_hz: 10', 'rate_hz: 10000', 'rate_hz', 'at most 1000 Hz'],
    ['an unknown field', 'rate_hz: 10', 'rat_hz: 10', 'rat_hz', "did you mean 'rate_hz'?"],
    [
      'an unknown field of a feature',
      'field: twist.twist.linear.x, unit',
      'field: twist.twist.linear.x, units',
      'observation[4].units',
      "did you mean 'unit'?",
    ],
    ['a misspelt form', 'sectors: 15', 'sektors: 15', 'observation[3].sektors', "did you mean 'sectors'?"],
    ['two forms at once', 'sectors: 15', 'sectors: 15, field: x', 'observation[3]', 'field and sectors'],
    ['degrees', 'unit: rad/s, low: -3', 'unit: deg/s, low: -3', 'observation[5].unit', 'REP 103'],
    ['an unknown unit', 'unit: rad/s, low: -3', 'unit: rads, low: -3', 'observation[5].unit', "did you mean 'rad'?"],
    [
      'the unit of another quantity',
      'component: planar_distance, low',
      'component: planar_distance, unit: rad, low',
      'observation[0].unit',
      "expected: 'm' for goal_distance",
    ],
    ['an unknown topic', 'topic: /odom, field', 'topic: /odm, field', 'observation[4].topic', "did you mean '/odom'?"],
    [
      'a topic of the wrong type',
      'topic: /scan, sectors',
      'topic: /odom, sectors',
      'observation[3].topic',
      'sensor_msgs/msg/LaserScan',
    ],
    [
      'an unknown message type',
      'type: sensor_msgs/msg/LaserScan',
      'type: LaserScan',
      "state['/scan'].type",
      "did you mean 'sensor_msgs/msg/LaserScan'?",
    ],
    [
      'an unknown path',
      'field: twist.twist.linear.x',
      'field: twist.linear.x',
      'observation[4].field',
      "did you mean 'twist.twist.linear.x'?",
    ],
    [
      'an unknown command path',
      'path: twist.linear.x',
      'path: twist.lin.x',
      'action[0].path',
      "did you mean 'twist.linear.x'?",
    ],
    [
      'a joint in a twist',
      'path: twist.linear.x',
      'joint: wheel',
      'action[0].joint',
      'path into geometry_msgs/msg/TwistStamped',
    ],
    ['two dimensions on one path', 'path: twist.angular.z', 'path: twist.linear.x', 'action[1].path', 'a second time'],
    [
      'two features of one name',
      'name: angular_velocity, topic',
      'name: linear_velocity, topic',
      'observation[5].name',
      'a second time',
    ],
    [
      'an empty range',
      'component: planar_distance, low: 0',
      'component: planar_distance, low: 2',
      'observation[0].low',
      'low below high',
    ],
    ['an unbounded action', 'low: -0.2, high: 0.6', 'low: -0.2, high: .inf', 'action[0].low', 'finite limits'],
    [
      'an action that cannot stop',
      'low: -0.2, high: 0.6',
      'low: 0.1, high: 0.6',
      'action[0].low',
      'stop: zero commands 0',
    ],
    ['holding a velocity', 'stop: zero', 'stop: hold', '25 action[0].unit', 'stop: zero'],
    ['a missing field', 'stop: zero', '', '2 stop', "'zero' or 'hold'"],
    [
      'a timeout below zero',
      'timeout_ms: 2000',
      'timeout_ms: -1',
      "state['/goal_pose'].timeout_ms",
      'a number above 0',
    ],
    [
      'poses of two frames',
      'timeout_ms: 2000, frame_id: odom',
      'timeout_ms: 2000, frame_id: map',
      '13 observation[0].relative_to',
      '/goal_pose in map, /odom in odom',
    ],
    [
      'a teleop topic that is the command',
      'topic: /teleop/cmd_vel',
      'topic: /cmd_vel',
      'teleop.topic',
      'a topic of its own',
    ],
    ['a topic without slash', 'estop_topic: /estop', 'estop_topic: estop', 'estop_topic', '/joint_states'],
    ['a duplicate key', 'rate_hz: 10', 'rate_hz: 10\nrobot: other', '', 'valid YAML'],
    ['no YAML', 'command: {', 'command: {{', '', 'valid YAML'],
    ['an alias', 'rate_hz: 10', 'rate_hz: &a 10\ntask2: *a', '', 'every value written out'],
  ])('%s is refused with file, line, path and remedy', (_, from, to, path, text) => {
    // A path with a line of its own is not where the text was changed.
    const { error, line } = refusalOf(vehicleText, from, to);
    expect(error.code).toBe('INVALID_CONFIG');
    const place = path === '' ? '' : /^\d/.test(path) ? `${path};` : `${line} ${path};`;
    expect(error.message).toContain(`robot.yaml:${place}`);
    expect(error.message).toContain(text);
  });

  test.each([
    ['no joints', 'joints: [rootz]', 'joints: []', 'at least one joint'],
    ['missing joints', 'joints: [rootz], ', '', 'one of field, joints'],
    [
      'a joint twice',
      'joints: [rooty, thigh_joint, leg_joint, foot_joint], quantity: position',
      'joints: [rooty, rooty], quantity: position',
      'joints that differ',
    ],
    ['limits of another length', 'unit: m/s, low: -10', 'unit: m/s, low: [-10]', '1 for 2 joints'],
    ['a path where joints are commanded', 'joint: leg_joint', 'path: twist.linear.x', 'commands joints'],
    [
      'an unknown quantity',
      'quantity: position, unit: m }',
      'quantity: speed, unit: m }',
      'position, velocity or effort',
    ],
  ])('joint robots: %s refused', (_, from, to, text) => {
    expect(refusalOf(hopper, from, to).error.message).toContain(text);
  });

  test.each(['Image', 'CompressedImage'])('%s: a state topic to watch and record, without features', (type) => {
    const name = `sensor_msgs/msg/${type}`;
    const text = vehicleText.replace('observation:', `  /device: { type: ${name}, timeout_ms: 500 }\nobservation:`);
    expect(parseRobotSpec(text, 'robot.yaml').stateTopics.at(-1)).toEqual({
      topic: '/device',
      type: name,
      timeoutMs: 500,
    });
    const feature = '- { name: seen, topic: /device, field: height, unit: "1" }';
    const { error } = refusalOf(text, '- { name: goal_distance', `${feature}\n  - { name: goal_distance`);
    expect(error.message).toContain('a topic of numbers');
    expect(error.remedy).toContain('image: { height: 64, width: 64, channels: 3 }');
  });

  test('joint jogs command velocities; a person may move positions by them as well, where those have largest rates', () => {
    const text = (name: string) => readFileSync(new URL(`../../config/robots/${name}.yaml`, import.meta.url), 'utf8');
    const jog = 'type: control_msgs/msg/JointJog';
    const positions = text('ur5e').replace(
      'joint_states, type: sensor_msgs/msg/JointState, timeout_ms: 200 }\naction',
      `jog, ${jog}, unitless: true }\naction`,
    );
    expect(positions).toContain(jog);
    expect(parseRobotSpec(positions, 'robot.yaml').commands[0].teleop).toMatchObject({ unitless: true });
    const unlimited = positions.replace('high: 3.1415, max_rate: 1.57', 'high: 3.1415');
    expect(() => parseRobotSpec(unlimited, 'robot.yaml')).toThrow(/elbow_joint, which may move at any speed.*max_rate/);
    const leader = text('ur5e').replace('timeout_ms: 200 }\naction', 'timeout_ms: 200, unitless: true }\naction');
    expect(() => parseRobotSpec(leader, 'robot.yaml')).toThrow(/teleop\.unitless.*JointState without units/);
    const efforts = positions.replaceAll('unit: rad, low', 'unit: N·m, low').replace('JointTrajectory', 'JointState');
    expect(() =>
      parseRobotSpec(efforts.replace('trajectory_msgs', 'sensor_msgs').replace('hold', 'zero'), 'x'),
    ).toThrow(/teleop\.type.*action of effort.*velocities or positions/);
    const inRadians = text('ur5e_servo').replace('unit: rad/s, low: -1.05', 'unit: rad, low: -1.05');
    expect(() => parseRobotSpec(inRadians, 'robot.yaml')).toThrow(/action\[0\]\.quantity.*velocity in a JointJog/);
  });

  test('teleoperation may ask for a dead-man button', () => {
    const teleop = 'topic: /teleop/cmd_vel,';
    const text = vehicleText.replace(teleop, `${teleop} deadman: { topic: /joy, button: 4 },`);
    expect(parseRobotSpec(text, 'robot.yaml').deadman).toEqual({ topic: '/joy', button: 4, timeoutMs: 500 });
    const { message } = refusalOf(vehicleText, teleop, `${teleop} deadman: { topic: /joy, button: left },`).error;
    expect(message).toContain('teleop.deadman.button');
  });

  test('teleoperation may be another type that carries the same action, and no other', () => {
    const teleop = 'topic: /teleop/cmd_vel,';
    const text = vehicleText.replace(teleop, `${teleop} type: geometry_msgs/msg/Twist,`);
    expect(parseRobotSpec(text, 'robot.yaml').commands[0].teleop.type).toBe('geometry_msgs/msg/Twist');
    const joints = `${teleop} type: sensor_msgs/msg/JointState,`;
    expect(refusalOf(vehicleText, teleop, joints).error.message).toContain('one of geometry_msgs/msg/TwistStamped');
    // Controls without unit are no position, velocity or effort.
    const array = 'topic: /teleop/effort_controller/commands,';
    for (const [type, expected] of [
      ['sensor_msgs/msg/JointState', 'quantity in every entry'],
      ['trajectory_msgs/msg/JointTrajectory', 'one quantity for all joints'],
    ])
      expect(refusalOf(hopper, array, `${array} type: ${type},`).error.message).toContain(expected);
  });

  test('a position in a Float64MultiArray is known as one, so that stop: hold can hold it', () => {
    const text = hopper.replaceAll('unit: "1"', 'unit: rad').replace('stop: zero', 'stop: hold');
    expect(parseRobotSpec(text, 'robot.yaml').action.map(({ quantity }) => quantity)).toEqual([
      'position',
      'position',
      'position',
    ]);
  });

  test("the README's example is a valid description", () => {
    const readme = readFileSync(new URL('../../src/robot/README.md', import.meta.url), 'utf8');
    const [, example] = /```yaml\n([\s\S]*?)```/.exec(readme)!;
    expect(parseRobotSpec(example!, 'README.md').observation).toHaveLength(17);
  });

  test('a trajectory carries one quantity, a joint command needs one', () => {
    const trajectory = hopper.replace('std_msgs/msg/Float64MultiArray', 'trajectory_msgs/msg/JointTrajectory');
    expect(refusalOf(trajectory, 'stop: zero', 'stop: zero').error.message).toContain('position, velocity or effort');
  });

  test('files: unknown names, missing files and folders', () => {
    expect(() => loadRobotSpec('rovr')).toThrow(/unknown robot.*did you mean 'rover'/);
    expect(() => loadRobotSpec('./nowhere.yaml')).toThrow(/no such file/);
    const folder = mkdtempSync(join(tmpdir(), 'robots-'));
    try {
      const path = join(folder, 'mine.yaml');
      writeFileSync(path, vehicleText.replace('robot: vehicle', 'robot: mine'));
      expect(loadRobotSpec(path).robot).toBe('mine');
      writeFileSync(path, vehicleText.replace('rate_hz: 10', 'rate_hz: -1'));
      expect(() => loadRobotSpec(path)).toThrow(`${path}:5 rate_hz`);
      expect(() => loadRobotSpec(`${folder}/`)).toThrow(/found: a folder; expected: a YAML file, or one of/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
