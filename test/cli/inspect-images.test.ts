import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lintDemonstrations, readDemonstrations } from '#src/demonstrations/index.js';
import { emptyMessage, stampOf } from '#src/messages/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { type Written, writeBag } from '../demonstrations/bag.js';
import { cli, inNewFolder } from './support.js';

const robot = `
robot: seer
description: Follows what it sees.
rate_hz: 10
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 300 }
  /camera: { type: sensor_msgs/msg/Image, timeout_ms: 300 }
observation:
  - { name: x, topic: /odom, field: pose.pose.position.x, unit: m, low: -2, high: 2 }
  - { name: front, topic: /camera, image: { height: 2, width: 4, channels: 1 } }
  - { name: left, topic: /camera, image: { height: 2, width: 2, channels: 1 }, crop: { x: 0, y: 0, width: 2, height: 2 } }
command: { topic: /cmd_vel, type: geometry_msgs/msg/Twist, timeout_ms: 500 }
teleop: { topic: /teleop/cmd_vel, timeout_ms: 500 }
action: [{ name: speed, path: linear.x, unit: m/s, low: -1, high: 1 }]
estop_topic: /estop
stop: zero
`;

/** Twelve seconds of a camera of which only the right half changes; the speed is what that half shows, x is not. */
function drive(shift: number): Written[] {
  return Array.from({ length: 121 }, (_, k): Written[] => {
    const ns = 1_000_000_000_000_000n + BigInt(k) * 100_000_000n;
    const header = { stamp: stampOf(ns), frame_id: '' };
    const odometry = { ...emptyMessage('nav_msgs/msg/Odometry'), header };
    odometry.pose.pose.position.x = (k % 4) / 4;
    const seen = Math.abs(shift - (k % 4) * 20);
    const data = Uint8Array.of(9, 9, seen, seen, 9, 9, seen, seen);
    const image = { header, height: 2, width: 4, encoding: 'mono8', is_bigendian: 0, step: 4, data };
    const twist = emptyMessage('geometry_msgs/msg/Twist');
    twist.linear.x = seen / 110 - 1;
    return [
      { topic: '/odom', type: 'nav_msgs/msg/Odometry', message: odometry, logNs: ns },
      { topic: '/camera', type: 'sensor_msgs/msg/Image', message: image, logNs: ns },
      { topic: '/teleop/cmd_vel', type: 'geometry_msgs/msg/Twist', message: twist, logNs: ns },
    ];
  }).flat();
}

let folder: ReturnType<typeof inNewFolder>;
beforeAll(async () => {
  folder = inNewFolder();
  writeFileSync('seer.yaml', robot);
  writeFileSync('blind.yaml', robot.replace(/ {2}- \{ name: (front|left).*\n/g, ''));
  await writeBag('shown/a.mcap', drive(0));
  await writeBag('more/b.mcap', drive(220));
});
afterAll(() => folder.leave());

it('inspect says of a recording and of a robot what their images are', async () => {
  const recording = await cli('inspect', '--robot', './seer.yaml', 'shown');
  expect(recording.code, recording.stderr).toBe(0);
  expect(recording.stdout).toMatch(
    /Images\n +front +\/camera +2 × 4 grey +10\.0 Hz\n +left +\/camera +2 × 2 grey +crop 2 × 2 at 0, 0 +10\.0 Hz/,
  );
  expect(recording.stdout).toContain('unchanging image; found: left (/camera) never changes');
  const given = await cli('inspect', 'seer.yaml');
  expect(given.stdout).toMatch(/Images\n +front +\/camera +2 × 4 grey/);
});

it('demonstrations that only an image tells apart do not contradict each other; without the image they do', async () => {
  const checks = async (description: string): Promise<string[]> => {
    const spec = loadRobotSpec(description);
    const { episodes } = await readDemonstrations(['shown', 'more'], spec);
    return lintDemonstrations(episodes, spec).map(({ check }) => check);
  };
  expect(await checks('./blind.yaml')).toContain('contradicting demonstrations');
  const seeing = await checks('./seer.yaml');
  expect(seeing).not.toContain('contradicting demonstrations');
  expect(seeing).toContain('unchanging image');
});
