import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Finding, lintDemonstrations, readDemonstrations, summariseRecording } from '#src/demonstrations/index.js';
import {
  emptyMessage,
  header,
  type Imu,
  type JointState,
  type LaserScan,
  type Odometry,
  stampOf,
} from '#src/messages/index.js';
import { parseRobotSpec, type RobotSpec } from '#src/robot/index.js';
import { type Written, writeBag } from './bag.js';
import { at, describedCar } from './described.js';
import { temporaryFolder } from './toy.js';

/** 20 s at 20 Hz; what changes does so at the half. */
const STEPS = 400;
const HALF = 200;
const steps = Array.from({ length: STEPS }, (_, k) => k);

const armOf = (unit: string, high: number, from = ''): RobotSpec =>
  parseRobotSpec(
    `
robot: lever
description: An arm of two joints and a gripper.
rate_hz: 20
frame_id: base_link
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 200 }
observation:
  - { topic: /joint_states, joints: [elbow], quantity: position, unit: rad }
  - { topic: /joint_states, joints: [elbow], quantity: velocity, unit: rad/s${from} }
  - { topic: /joint_states, joints: [gripper], quantity: position, unit: "${unit}", low: 0, high: ${high} }
command: { topic: /controller, type: std_msgs/msg/Float64MultiArray, timeout_ms: 200 }
teleop: { topic: /leader, type: std_msgs/msg/Float64MultiArray, timeout_ms: 200 }
action:
  - { name: elbow, joint: elbow, unit: rad, low: -4, high: 4, max_rate: 3 }
${unit === 'm' ? '  - { name: gripper, joint: gripper, unit: m, low: 0, high: 1, max_rate: 3 }' : ''}
estop_topic: /estop
stop: hold
`,
    'lever.yaml',
  );
const arm = armOf('m', 1);

const car = describedCar({
  state: ['/imu: { type: sensor_msgs/msg/Imu, timeout_ms: 200 }'],
  observation: [
    '{ name: x, topic: /odom, field: pose.pose.position.x, unit: m }',
    '{ name: qz, topic: /odom, field: pose.pose.orientation.z, unit: "1" }',
    '{ name: v, topic: /odom, field: twist.twist.linear.x, unit: m/s }',
    '{ name: scan, topic: /scan, sectors: 2, low: 0, high: 2 }',
    '{ name: turn, topic: /imu, field: angular_velocity.z, unit: rad/s }',
    '{ name: up, topic: /imu, field: linear_acceleration.z, unit: m/s² }',
  ],
  action: ['{ name: turning, path: twist.angular.z, unit: rad/s, low: -1, high: 1 }'],
});

type ChangeJoints = (joints: JointState, k: number) => void;
const swing = (k: number): number => 1.2 * Math.sin(k / 23);
/** Shut within a step, and open again. */
const grip = (k: number): number => (k > 100 && k < 300 ? 0.8 : 0.1);

function armBag(change: ChangeJoints = () => undefined, elbow = swing, commanded = 2): Written[] {
  return steps.flatMap((k): Written[] => {
    const state: JointState = {
      ...emptyMessage('sensor_msgs/msg/JointState'),
      ...{ header: header(at(k)), name: ['elbow', 'gripper'] },
      position: Float64Array.of(elbow(k), grip(k)),
      velocity: Float64Array.of(swing(k + 1) - swing(k), 0),
    };
    change(state, k);
    const wanted = emptyMessage('std_msgs/msg/Float64MultiArray');
    wanted.data = Float64Array.of(elbow(k + 2), grip(k + 2)).subarray(0, commanded);
    return [
      { topic: '/joint_states', type: 'sensor_msgs/msg/JointState', message: state, logNs: at(k) },
      { topic: '/controller', type: 'std_msgs/msg/Float64MultiArray', message: wanted, logNs: at(k) },
    ];
  });
}

const noise = (k: number, i = 0): number => 0.01 * Math.sin(12.9898 * (k + 1) + 78.233 * i);

function carBag(
  change: (messages: { odom: Odometry; scan: LaserScan; imu: Imu }, k: number) => void = () => undefined,
): Written[] {
  return steps.flatMap((k): Written[] => {
    const odom = emptyMessage('nav_msgs/msg/Odometry');
    Object.assign(odom, { header: { stamp: stampOf(at(k)), frame_id: 'odom' }, child_frame_id: 'base_link' });
    odom.pose.pose.position.x = 2 * Math.sin(k / 40);
    Object.assign(odom.pose.pose.orientation, { z: Math.sin(k / 200), w: Math.cos(k / 200) });
    odom.twist.twist.linear.x = Math.cos(k / 40) + noise(k, 5);
    const scan = emptyMessage('sensor_msgs/msg/LaserScan');
    Object.assign(scan, {
      header: header(at(k), 'laser'),
      range_min: 0.1,
      range_max: 3.5,
      angle_min: -1,
      angle_max: 1,
    });
    // A sensor that turns gives some beams more or fewer in each scan.
    scan.ranges = Float32Array.from({ length: 20 + (k % 3) }, (_, i) => 1 + 0.3 * Math.sin(i + k / 30) + noise(k, i));
    const imu = emptyMessage('sensor_msgs/msg/Imu');
    imu.header = header(at(k), 'imu');
    imu.angular_velocity.z = 0.3 * Math.sin(k / 20) + noise(k);
    imu.linear_acceleration.z = 9.81 + noise(k, 3);
    change({ odom, scan, imu }, k);
    const command = emptyMessage('geometry_msgs/msg/TwistStamped');
    command.header = header(at(k));
    command.twist.linear.x = 0.9 * Math.cos(k / 50);
    command.twist.angular.z = 0.3 * Math.sin(k / 18);
    return [
      { topic: '/odom', type: 'nav_msgs/msg/Odometry', message: odom, logNs: at(k) },
      { topic: '/scan', type: 'sensor_msgs/msg/LaserScan', message: scan, logNs: at(k) },
      { topic: '/imu', type: 'sensor_msgs/msg/Imu', message: imu, logNs: at(k) },
      { topic: '/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', message: command, logNs: at(k) },
    ];
  });
}

const checks: readonly Finding['check'][] = ['changing topic', 'zero velocities', 'jumping position', 'another unit'];

async function read(messages: readonly Written[], spec: RobotSpec) {
  const bag = await writeBag(join(temporaryFolder(), 'bag.mcap'), messages);
  const { episodes, report } = await readDemonstrations([bag], spec);
  const findings = lintDemonstrations(episodes, spec, report).filter(({ check }) => checks.includes(check));
  return {
    told: findings.map(({ check, found }) => `${check}: ${found.replaceAll(bag, 'BAG')}`),
    said: report.recordings.map(summariseRecording).join('\n'),
    episodes,
  };
}

it.each<[string, RobotSpec, Written[], string]>([
  [
    'a scan that is turned',
    car,
    carBag(({ scan }, k) => k > HALF && Object.assign(scan, { angle_min: 0, angle_max: 2 })),
    'changing topic: the field of view of /scan is -57…57° before 10.05 s, and then 0…115°',
  ],
  [
    'velocities of another frame',
    car,
    carBag(({ odom }, k) => k > HALF && Object.assign(odom, { child_frame_id: 'base_footprint' })),
    'changing topic: the child_frame_id of /odom is base_link before 10.05 s, and then base_footprint',
  ],
  [
    'poses in another frame, where the description names none',
    car,
    carBag(({ odom }, k) => {
      if (k > HALF) odom.header.frame_id = 'map';
    }),
    'changing topic: the frame_id of /odom is odom before 10.05 s, and then map',
  ],
  [
    'a quaternion that changes its sign',
    car,
    carBag(({ odom }, k) => {
      const q = odom.pose.pose.orientation;
      if (k % 2 === 1) Object.assign(q, { z: -q.z, w: -q.w });
    }),
    'changing topic: the sign of the orientation of /odom is (0, 0, 0, 1) before 0.05 s, and then (0, 0, -0.005, -1), the first of 399 changes',
  ],
  [
    'an odometry without a twist',
    car,
    carBag(({ odom }) => {
      odom.twist.twist.linear.x = 0;
    }),
    'zero velocities: 0 in every message, though the positions change: the twist of /odom',
  ],
  [
    'an IMU in g',
    car,
    carBag(({ imu }) => {
      imu.linear_acceleration.z /= 9.81;
    }),
    'another unit: the acceleration of /imu is mostly 1 m/s² long',
  ],
  [
    'a gyroscope in degrees',
    car,
    carBag(({ imu }) => {
      imu.angular_velocity.z *= 180 / Math.PI;
    }),
    'another unit: /imu turns by 17.2 rad/s, and is commanded 1 at most',
  ],
  [
    'an odometry that is set anew',
    car,
    carBag(({ odom }, k) => {
      if (k > HALF) odom.pose.pose.position.x += 7;
    }),
    'jumping position: from one control period to the next, x by 7.01 m at step 201 of BAG#0',
  ],
  [
    'velocities that are not measured',
    arm,
    armBag((state) => state.velocity.fill(0)),
    'zero velocities: 0 in every message, though the positions change: elbow_velocity',
  ],
  [
    'a joint that is set anew',
    arm,
    armBag((state, k) => {
      if (k > HALF) state.position[0]! += 1.3;
    }),
    'jumping position: from one control period to the next, elbow_position by 1.26 rad at step 201 of BAG#0',
  ],
  [
    'an encoder of one turn',
    arm,
    armBag(undefined, (k) => ((k / 20 + 1) % (2 * Math.PI)) - Math.PI),
    'jumping position: from one control period to the next, elbow_position by -6.23 rad at step 106 of BAG#0 and 2 times more',
  ],
  [
    'a gripper in per cent',
    armOf('1', 1),
    armBag(
      (state) => {
        state.position[1]! *= 100;
      },
      swing,
      1,
    ),
    'another unit: gripper_position is 10…80 1, its limit is 1',
  ],
])('%s is told', async (_, spec, bag, found) => {
  expect((await read(bag, spec)).told).toEqual([found]);
});

it.each<[string, RobotSpec, Written[]]>([
  ['a car whose scans vary by a few beams', car, carBag()],
  ['an arm whose gripper snaps shut', arm, armBag()],
  [
    'an arm whose velocities are 0 as it stands',
    arm,
    armBag(
      (state) => state.velocity.fill(0),
      () => 0.4,
    ),
  ],
])('%s is told nothing', async (_, spec, bag) => {
  expect((await read(bag, spec)).told).toEqual([]);
});

it('the velocity of an encoder of one turn, from its positions, is that of the joint', async () => {
  const { episodes } = await read(
    armBag(undefined, (k) => ((k / 20 + 1) % (2 * Math.PI)) - Math.PI),
    armOf('m', 1, ', from: position'),
  );
  const velocities = episodes.flatMap(({ observations, length }) =>
    Array.from({ length }, (_, t) => (observations as Float32Array)[t * 3 + 1]!),
  );
  expect(Math.max(...velocities.map((velocity) => Math.abs(velocity - 1)))).toBeLessThan(1e-3);
});

it.each([
  [
    200,
    /^bag: 1 episode, 199 transitions; 200 control periods before an episode left out: \/imu: first message 10\.0 s after that of \/odom$/,
  ],
  [16, /^bag: 1 episode, 383 transitions$/],
])('a topic that comes only from step %i on is named where that costs a second or more', async (from, said) => {
  const bag = carBag().filter(({ topic, logNs }) => topic !== '/imu' || logNs >= at(from));
  const summary = (await read(bag, car)).said;
  expect(summary.replace(/^\S+\.mcap/, 'bag')).toMatch(said);
});
