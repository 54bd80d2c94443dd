import { describe, expect, test } from 'vitest';
import { parseRobotSpec } from '#src/robot/index.js';
import { vehicleText } from './messages.js';

const parse = (text: string) => parseRobotSpec(text, 'robot.yaml');
const changed = (from: string | RegExp, to: string): string => {
  const text = vehicleText.replace(from, to);
  if (text === vehicleText) throw new Error(`the vehicle has no ${from}`);
  return text;
};
const command = '/cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 500';

describe('descriptions that a robot could not be safe with', () => {
  test.each<[string, string | RegExp, string, RegExp]>([
    [
      'a timeout beyond all time',
      'timeout_ms: 2000',
      'timeout_ms: 1e308',
      /found: 1e\+308; expected: a number above 0: 1 to 1e9 milliseconds/,
    ],
    ['a timeout of nothing', 'timeout_ms: 2000', 'timeout_ms: 1e-9', /1 to 1e9/],
    [
      'commands that never time out',
      command,
      command.replace('500', '.inf'),
      /1 to 10000 milliseconds, as a robot must stop/,
    ],
    [
      'teleoperation that never times out',
      /teleop:.*/,
      'teleop: { topic: /teleop/cmd_vel, timeout_ms: .inf }',
      /1 to 10000/,
    ],
    [
      'commands that time out between two periods',
      'rate_hz: 10',
      'rate_hz: 0.1',
      /at least a control period, 10000 ms/,
    ],
    ['a rate without end', 'max_rate: 8', 'max_rate: .inf', /leave it out where there is no largest rate/],
    ['a rate that never moves', 'max_rate: 8', 'max_rate: 1e-300', /at least 0\.0008/],
    [
      'an emergency stop on the command',
      'estop_topic: /estop',
      'estop_topic: /cmd_vel',
      /\/cmd_vel, which is the topic of commands, too/,
    ],
    ['a command on a state topic', 'topic: /cmd_vel,', 'topic: /odom,', /\/odom, which is a state topic, too/],
    ['a command on a topic of ROS 2', 'topic: /cmd_vel,', 'topic: /clock,', /which ROS 2 uses itself/],
    [
      "a dead-man button on the emergency stop's topic",
      /teleop:.*/,
      'teleop: { topic: /teleop/cmd_vel, timeout_ms: 500, deadman: { topic: /estop, button: 1 } }',
      /estop_topic; found: \/estop, which is the dead-man button's topic/,
    ],
    ['ranges below nothing', 'sectors: 15, low: 0, high: 2', 'sectors: 15, low: -5, high: -1', /a range is none/],
    [
      'a pose relative to itself',
      /relative_to: \/odom, component: planar_distance/,
      'relative_to: /goal_pose, component: planar_distance',
      /\/goal_pose relative to itself/,
    ],
    ['a frame with a space', 'frame_id: base_link', "frame_id: 'base link'", /a frame's name, without spaces/],
    ['a name without end', 'robot: vehicle', `robot: ${'a'.repeat(100_0)}`, /at most 64 characters/],
    ['escape sequences in its text', /description:.*/, 'description: "\\e[31mred"', /without control characters/],
    ['a feature called constructor', 'name: goal_distance', 'name: constructor', /another name/],
    ['limits that are one number to a float32', 'low: -0.2, high: 0.6', 'low: 0, high: 1e-300', /low below high/],
    [
      'a limit beyond every float32',
      'sectors: 15, low: 0, high: 2',
      'sectors: 15, low: 0, high: 1e300',
      /at most 3\.4e38/,
    ],
    ['a rate that is none', 'max_rate: 8', 'max_rate: 1e308', /at most 800000/],
    ['a command where the policy node speaks', 'topic: /cmd_vel,', 'topic: /policy_status,', /carries something else/],
    ['a name that ROS 2 refuses', 'topic: /cmd_vel,', 'topic: /cmd__vel,', /without __/],
    ['a name without end of a topic', 'topic: /cmd_vel,', `topic: /${'a'.repeat(250)},`, /at most 200 characters/],
    [
      "a dead-man button on teleoperation's topic",
      /teleop:.*/,
      'teleop: { topic: /teleop/cmd_vel, timeout_ms: 500, deadman: { topic: /teleop/cmd_vel, button: 1 } }',
      /the topic of teleoperation, too; expected: the topic of the joystick/,
    ],
    [
      'teleoperation on a state topic of another type',
      /teleop:.*/,
      'teleop: { topic: /odom, timeout_ms: 500 }',
      /teleop\.topic; found: \/odom with geometry_msgs\/msg\/TwistStamped for teleoperation, and with nav_msgs\/msg\/Odometry as a state topic; expected: one type .*to do: give teleoperation a topic of its own/,
    ],
    [
      'a dead-man button on a state topic of another type',
      /teleop:.*/,
      'teleop: { topic: /teleop/cmd_vel, timeout_ms: 500, deadman: { topic: /odom, button: 1 } }',
      /sensor_msgs\/msg\/Joy for the dead-man button, and with nav_msgs\/msg\/Odometry as a state topic/,
    ],
    [
      'a state topic without a slash',
      '/scan:',
      'scan:',
      /state\.scan; found: 'scan'.*; expected: a topic's full name, as/,
    ],
    ['a text that turns the line around', /description:.*/, 'description: "a\\u202eb"', /without control characters/],
    ['a text without end', /description:.*/, `description: ${'a'.repeat(1001)}`, /at most 1000 characters/],
    ['a frame with what nobody sees', 'frame_id: base_link', 'frame_id: "base\\u200blink"', /a frame's name, without/],
    ['a robot called __proto__', 'robot: vehicle', 'robot: __proto__', /another name/],
  ])('%s', (_, from, to, why) => {
    expect(() => parse(changed(from, to))).toThrow(why);
  });
});

describe('texts that are no description', () => {
  test.each<[string, string, RegExp]>([
    ['empty', ' \n', /an empty file/],
    ['a word', 'hello', /is no description of a robot; found: "hello"/],
    ['a list', '- 1', /is no description of a robot/],
    ['two documents', `${vehicleText}\n---\n${vehicleText}`, /a second document/],
    ['zeros', 'robot: a\0b', /no UTF-8 text/],
    ['open brackets', `robot: ${'['.repeat(5000)}`, /more than 64 brackets/],
    ['another YAML', `%YAML 9.9\n---\n${vehicleText}`, /robot\.yaml:1 /],
    ['code', changed(/description:.*/, 'description: !!js/function "() => 1"'), /tag/],
    ['a map as a key', `${vehicleText}\n? { a: 1 }\n: 2\n`, /a map or list as a key/],
    ['__proto__ as a key', `${vehicleText}\n__proto__: { a: 1 }\n`, /robot\.yaml:\d+ has a key of JavaScript/],
    ['a key twice', `${vehicleText}\nstop: zero\n`, /'stop' a second time/],
  ])('%s', (_, text, why) => {
    expect(() => parse(text)).toThrow(why);
  });

  test('many unknown keys and endless lists take no time', () => {
    const start = performance.now();
    const keys = Array.from({ length: 3000 }, (_, i) => `unknown_key_${i}: 1`).join('\n');
    expect(() => parse(`${vehicleText}\n${keys}`)).toThrow(/unknown_key_0/);
    expect(() => parse(`a:\n${'- 1\n'.repeat(100_000)}`)).toThrow(/at most 100000/);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
