import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import { encodeBundle, writeBundle } from '#src/policy/index.js';
import { contractOf, parseRobotSpec } from '#src/robot/index.js';
import { describeWithRos, startExecutable } from '../../support/ros.js';
import { Driver, type Json } from './driver.js';

const path = fileURLToPath(new URL('../../../config/robots/mobile_manipulator.yaml', import.meta.url));
const text = readFileSync(path, 'utf8');
const spec = parseRobotSpec(text, path);
const joints = ['shoulder_pan', 'shoulder_lift', 'elbow', 'wrist', 'gripper_finger'];

const topics = {
  base: ['/cmd_vel', 'geometry_msgs/msg/TwistStamped'],
  arm: ['/arm_controller/joint_trajectory', 'trajectory_msgs/msg/JointTrajectory'],
  gripper: ['/gripper_controller/commands', 'std_msgs/msg/Float64MultiArray'],
} as const;
/** Forward speed, the arm's first joint, and the gripper, of a message. */
const number = {
  base: (message: Json): number => message.twist.linear.x,
  arm: (message: Json): number => message.points[0].positions[0],
  gripper: (message: Json): number => message.data[0],
};
type Part = keyof typeof topics;
const parts = Object.keys(topics) as Part[];

describeWithRos('a robot with several command topics over DDS', () => {
  let folder: string;
  let driver: Driver;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iq-ros-parts-'));
    writeFileSync(join(folder, 'mobile_manipulator.yaml'), text);
    // Everything at the upper limit, whatever is seen.
    const bundle = await encodeBundle({
      policy: {
        observation: vectorObservation(spec.observation.length),
        actionSize: spec.action.length,
        constants: {
          one: {
            spec: { shape: [spec.action.length], dtype: 'float32' },
            data: new Float32Array(spec.action.length).fill(1),
          },
        },
        apply: ({ observation, noise }, { one }) => ({
          action: tf.clipByValue(
            tf.add(tf.add(tf.mul(noise!, 0), tf.mul(tf.sum(observation as tf.Tensor2D), 0)), one as tf.Tensor1D),
            -1,
            1,
          ),
        }),
      },
      contract: contractOf(spec),
      version: 1,
    });
    writeBundle(join(folder, 'policy'), bundle);
    driver = await Driver.start();
    startExecutable('policy', [
      ...['--ros-args', '-p', `robot:=${join(folder, 'mobile_manipulator.yaml')}`],
      ...['-p', `policy:=${join(folder, 'policy')}`, '-p', 'autostart:=true'],
    ]);
    for (const [topic, type] of Object.values(topics)) await driver.subscribe(topic, type);
    await driver.subscribe('/policy_status', 'iq_learn/msg/PolicyStatus');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const robot = async (): Promise<void> => {
    const qos = { reliability: 'best_effort', depth: 5 };
    const pose = { orientation: { w: 1 } };
    await driver.repeat('/odom', 'nav_msgs/msg/Odometry', { header: { frame_id: 'odom' }, pose: { pose } }, 60, qos);
    const position = joints.map(() => 0);
    await driver.repeat('/joint_states', 'sensor_msgs/msg/JointState', { name: joints, position }, 60, qos);
    await driver.repeat(
      '/object_pose',
      'geometry_msgs/msg/PoseStamped',
      { header: { frame_id: 'odom' }, pose },
      60,
      qos,
    );
  };
  const until = (part: Part, fits: (value: number) => boolean, what: string): Promise<Json> =>
    driver.until(topics[part][0], (message) => fits(number[part](message)), `${part}: ${what}`);
  const moving = async (): Promise<void> => {
    await until('base', (x) => x > 0.4, 'forward');
    await until('arm', (x) => x > 0.2, 'on its way');
    await until('gripper', (x) => x > 0.02, 'opening');
  };
  /** From the next stop of the base on: the base says 0, arm and gripper one value each, for half a second. */
  const stands = async (): Promise<void> => {
    await until('base', (x) => x === 0, 'a stop');
    for (const part of parts) await driver.take(topics[part][0]);
    for (const part of parts) {
      const heard: number[] = [];
      await expect
        .poll(async () =>
          heard.push(...(await driver.take(topics[part][0])).map(({ message }) => number[part](message))),
        )
        .toBeGreaterThan(8);
      expect(new Set(heard).size, part).toBe(1);
      if (part === 'base') expect(heard[0]).toBe(0);
    }
  };
  const reset = (): Promise<void> =>
    expect.poll(() => driver.trigger('/policy/reset_fault'), { timeout: 10_000 }).toMatchObject({ success: true });

  it('publishes on all of them', async () => {
    await robot();
    await moving();
    const { publishers } = await driver.endpoints('/arm_controller/joint_trajectory');
    expect(publishers).toMatchObject([
      { node: 'policy', type: 'trajectory_msgs/msg/JointTrajectory', reliability: 'reliable' },
    ]);
  });

  it('an e-stop stops every topic until a reset', async () => {
    await driver.repeat('/estop', 'std_msgs/msg/Bool', { data: true }, 20);
    await stands();
    await driver.repeat('/estop', 'std_msgs/msg/Bool', { data: false }, 20);
    await stands();
    await reset();
    await until('base', (x) => x > 0.4, 'forward again');
  });

  it('a state that falls silent stops every topic, until it is back', async () => {
    await driver.quiet('/joint_states');
    await stands();
    await robot();
    await until('base', (x) => x > 0.4, 'forward again');
  });
});
