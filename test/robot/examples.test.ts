import { describe, expect, test } from 'vitest';
import { decode, encode, type JointTrajectory } from '#src/messages/index.js';
import { createActionMapper, loadRobotSpec, robotParts, withStampedTwist } from '#src/robot/index.js';

const examples = [
  'rover',
  'turtlebot3',
  'turtlebot4',
  'ackermann',
  'f1tenth',
  'arm',
  'ur5e',
  'ur5e_servo',
  'franka',
  'mobile_manipulator',
].map((name) => [name, loadRobotSpec(name)] as const);

describe('robots of config/robots', () => {
  test.each(examples)('%s: finite limits and rates, watched state, no joint twice', (_, spec) => {
    for (const { low, high, maxRate, unit } of spec.action) {
      expect(Number.isFinite(high - low)).toBe(true);
      expect(low).toBeLessThan(high);
      expect(Number.isFinite(maxRate)).toBe(true);
      // The most a command may change by within one period moves no real joint by more than a few degrees.
      if (unit === 'rad') expect(maxRate / spec.rateHz).toBeLessThan(0.1);
    }
    expect(new Set(spec.action.map(({ command, path }) => `${command} ${path}`)).size).toBe(spec.action.length);
    for (const { timeoutMs } of [...spec.commands, ...spec.commands.map(({ teleop }) => teleop), ...spec.stateTopics])
      expect(timeoutMs).toBeGreaterThan(0);
    // A state topic that comes less often than it is watched for would stop the robot at once.
    for (const { timeoutMs } of spec.commands) expect(timeoutMs).toBeGreaterThanOrEqual(2000 / spec.rateHz);
  });

  test.each(examples)('%s: commands and teleoperation carry an action there and back, over CDR', (_, spec) => {
    const action = Float32Array.from(spec.action, ({ low, high }, i) => low + ((i + 1) / 10) * (high - low));
    for (const { command, spec: part, at } of robotParts(spec))
      for (const topic of [command, command.teleop]) {
        const mapper = createActionMapper(part, topic);
        expect(mapper.type).toBe(topic.type);
        const own = Float32Array.from(at, (i) => action[i]!);
        const message = mapper.toMessage(own, 1_000_000_000n);
        expect(mapper.fromMessage(decode(topic.type, encode(topic.type, message as never)))).toEqual(own);
      }
  });

  test('a trajectory reaches its one point after one control period', () => {
    const spec = loadRobotSpec('ur5e');
    const message = createActionMapper(spec).toMessage(new Float32Array(6), 0n) as JointTrajectory;
    expect(message.points.map(({ time_from_start }) => time_from_start)).toEqual([{ sec: 0, nanosec: 50_000_000 }]);
    expect(message.joint_names).toEqual([
      'shoulder_pan_joint',
      'shoulder_lift_joint',
      'elbow_joint',
      'wrist_1_joint',
      'wrist_2_joint',
      'wrist_3_joint',
    ]);
  });

  test('a Twist and a TwistStamped robot are the same robot; others are left alone', () => {
    const stamped = loadRobotSpec('turtlebot3');
    const plain = withStampedTwist(stamped, false);
    expect([plain.commands[0].type, plain.commands[0].teleop.type]).toEqual([
      'geometry_msgs/msg/Twist',
      'geometry_msgs/msg/Twist',
    ]);
    const message = createActionMapper(plain).toMessage([0.1, -1], 0n);
    expect(message).toEqual({ linear: { x: expect.closeTo(0.1), y: 0, z: 0 }, angular: { x: 0, y: 0, z: -1 } });
    expect(withStampedTwist(plain, true)).toEqual(stamped);
    const arm = loadRobotSpec('ur5e');
    expect(withStampedTwist(arm, false)).toBe(arm);
  });
});
