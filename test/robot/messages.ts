import { readFileSync } from 'node:fs';
import {
  emptyMessage,
  type JointState,
  type LaserScan,
  type Odometry,
  type PoseStamped,
  stampOf,
} from '#src/messages/index.js';
import { parseRobotSpec } from '#src/robot/index.js';

/** The vehicle of the tests, which does not change with the rover of config/robots. */
export const vehicleText = readFileSync(new URL('./vehicle.yaml', import.meta.url), 'utf8');
export const vehicle = parseRobotSpec(vehicleText, 'vehicle.yaml');

/** Steady and ROS time of the tests: milliseconds. */
export const ms = (value: number): bigint => BigInt(Math.round(value * 1e6));

export function odometry(
  stampMs: number,
  change: { x?: number; y?: number; yaw?: number; v?: number; w?: number } = {},
): Odometry {
  const { x = 0, y = 0, yaw = 0, v = 0, w = 0 } = change;
  const message = emptyMessage('nav_msgs/msg/Odometry');
  message.header = { stamp: stampOf(ms(stampMs)), frame_id: 'odom' };
  message.pose.pose = {
    position: { x, y, z: 0.05 },
    orientation: { x: 0, y: 0, z: Math.sin(yaw / 2), w: Math.cos(yaw / 2) },
  };
  message.twist.twist.linear.x = v;
  message.twist.twist.angular.z = w;
  return message;
}

export function scan(
  stampMs: number,
  ranges: number[] = new Array(60).fill(1.5),
  change: Partial<LaserScan> = {},
): LaserScan {
  return {
    ...emptyMessage('sensor_msgs/msg/LaserScan'),
    header: { stamp: stampOf(ms(stampMs)), frame_id: 'base_scan' },
    angle_min: -2,
    angle_max: 2,
    angle_increment: 4 / (ranges.length - 1),
    range_min: 0.05,
    range_max: 4,
    ranges,
    ...change,
  };
}

export function goal(stampMs: number, x = 1, y = 0): PoseStamped {
  return {
    header: { stamp: stampOf(ms(stampMs)), frame_id: 'odom' },
    pose: { position: { x, y, z: 0 }, orientation: { x: 0, y: 0, z: 0, w: 1 } },
  };
}

export const hopperJoints = ['rootx', 'rootz', 'rooty', 'thigh_joint', 'leg_joint', 'foot_joint'];

/** Positions 0, 1, 2 … and velocities 0, 0.1, 0.2 … by joint of `hopperJoints`, in the order of `names`. */
export function joints(stampMs: number, names: readonly string[] = hopperJoints): JointState {
  const index = names.map((name) => hopperJoints.indexOf(name));
  return {
    header: { stamp: stampOf(ms(stampMs)), frame_id: 'world' },
    name: [...names],
    position: Float64Array.from(index),
    velocity: Float64Array.from(index, (i) => i / 10),
    effort: [],
  };
}
