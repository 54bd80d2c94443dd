import { emptyMessage, type Image, stampOf } from '#src/messages/index.js';
import type { Written } from '../demonstrations/bag.js';

export const baseNs = 1_000_000_000_000_000n;

/** A robot that sees: it drives at the speed that its camera shows. `images` are lines of its observation. */
export const seer = (images: string): string => `
robot: seer
description: Drives at the speed that its camera shows.
rate_hz: 10
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 300 }
  /camera: { type: sensor_msgs/msg/Image, timeout_ms: 300 }
observation:
  - { name: x, topic: /odom, field: pose.pose.position.x, unit: m, low: -2, high: 2 }
${images}command: { topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 500 }
teleop: { topic: /teleop/cmd_vel, timeout_ms: 500 }
action: [{ name: speed, path: twist.linear.x, unit: m/s, low: -1, high: 1 }]
estop_topic: /estop
stop: zero
`;

export function odometry(ns: bigint, x: number) {
  const message = emptyMessage('nav_msgs/msg/Odometry');
  message.header.stamp = stampOf(ns);
  message.pose.pose.position.x = x;
  message.pose.pose.orientation.w = 1;
  return message;
}

/** A square or wide picture of grey bytes. */
export function picture(ns: bigint, width: number, data: Uint8Array): Image {
  const header = { stamp: stampOf(ns), frame_id: '' };
  return { header, height: data.length / width, width, encoding: 'mono8', is_bigendian: 0, step: width, data };
}

/** What is recorded of one control period: where it is, what it sees, and how fast a person drives it. */
export function shown(ns: bigint, x: number, image: Image, speed: number): Written[] {
  const twist = emptyMessage('geometry_msgs/msg/TwistStamped');
  twist.header.stamp = stampOf(ns);
  twist.twist.linear.x = speed;
  return [
    { topic: '/odom', type: 'nav_msgs/msg/Odometry', message: odometry(ns, x), logNs: ns },
    { topic: '/camera', type: 'sensor_msgs/msg/Image', message: image, logNs: ns },
    { topic: '/teleop/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', message: twist, logNs: ns },
  ];
}
