import { parseRobotSpec, type RobotSpec } from '#src/robot/index.js';

/** When a recording of a test begins, and when its step `k` is, at 20 Hz. */
export const START = 1_760_000_000_000_000_000n;
export const at = (k: number): bigint => START + BigInt(k) * 50_000_000n;

/** A vehicle with an odometry and a scanner, and what a test adds to it: a line for each. */
export function describedCar({
  state = [],
  observation,
  action = [],
}: {
  readonly state?: readonly string[];
  readonly observation: readonly string[];
  readonly action?: readonly string[];
}): RobotSpec {
  const lines = (each: readonly string[], indent: string): string => each.map((line) => `${indent}${line}\n`).join('');
  return parseRobotSpec(
    `
robot: car
description: A vehicle with a scanner.
rate_hz: 20
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 200 }
  /scan: { type: sensor_msgs/msg/LaserScan, timeout_ms: 200 }
${lines(state, '  ')}observation:
${lines(observation, '  - ')}command: { topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 200 }
teleop: { topic: /teleop/cmd_vel, timeout_ms: 200 }
action:
  - { name: speed, path: twist.linear.x, unit: m/s, low: -1, high: 1 }
${lines(action, '  - ')}estop_topic: /estop
stop: zero
`,
    'car.yaml',
  );
}
