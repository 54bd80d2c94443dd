import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lintDemonstrations, readDemonstrations } from '#src/demonstrations/index.js';
import { emptyMessage, header, type JointState, stampOf } from '#src/messages/index.js';
import { parseRobotSpec, type RobotSpec } from '#src/robot/index.js';
import { type Written, writeBag } from './bag.js';
import { at, describedCar } from './described.js';
import { temporaryFolder } from './toy.js';

/** 20 s at 20 Hz; what freezes does so from 10 s to 15 s. */
const STEPS = 400;
const [FROM, TO] = [200, 300];
const frozenAt = (k: number): number => (k > FROM && k <= TO ? FROM : k);

const arm = parseRobotSpec(
  `
robot: lever
description: An arm of two joints and a gripper.
rate_hz: 20
frame_id: base_link
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 200 }
  /tag: { type: geometry_msgs/msg/PoseStamped, timeout_ms: 200 }
observation:
  - { topic: /joint_states, joints: [elbow, wrist, gripper], quantity: position, unit: rad }
  - { name: tag, topic: /tag, field: pose.position.x, unit: m }
command: { topic: /arm/joint_trajectory, type: trajectory_msgs/msg/JointTrajectory, timeout_ms: 200 }
teleop: { topic: /leader, type: sensor_msgs/msg/JointState, timeout_ms: 200 }
action:
  - { name: elbow, joint: elbow, unit: rad, low: -2, high: 2, max_rate: 3 }
  - { name: wrist, joint: wrist, unit: rad, low: -2, high: 2, max_rate: 3 }
  - { name: gripper, joint: gripper, unit: rad, low: 0, high: 1, max_rate: 3 }
estop_topic: /estop
stop: hold
`,
  'lever.yaml',
);

const car = describedCar({
  state: [
    '/imu: { type: sensor_msgs/msg/Imu, timeout_ms: 200 }',
    '/bumper: { type: std_msgs/msg/Bool, timeout_ms: 200 }',
  ],
  observation: [
    '{ name: x, topic: /odom, field: pose.pose.position.x, unit: m }',
    '{ name: scan, topic: /scan, sectors: 2, low: 0, high: 2 }',
    '{ name: turn, topic: /imu, field: angular_velocity.z, unit: rad/s }',
    '{ name: bumper, topic: /bumper, field: data, unit: "1" }',
  ],
});

interface Arm {
  readonly elbow: (k: number) => number;
  readonly wrist: (k: number) => number;
  readonly gripper: (k: number) => number;
  readonly wanted: (k: number) => readonly [elbow: number, wrist: number, gripper: number];
  readonly tag: (k: number) => number;
}

const swing = (k: number): number => 1.2 * Math.sin(k / 23);
/** Closes in the first second, and stays closed. */
const grip = (k: number): number => Math.max(0, 0.8 - k / 25);

function armBag(change: Partial<Arm> = {}): Written[] {
  const is: Arm = {
    elbow: swing,
    wrist: (k) => 0.5 * Math.cos(k / 31),
    gripper: grip,
    wanted: (k) => [swing(k + 4), 0.5 * Math.cos((k + 4) / 31), grip(k + 4)],
    // An object that is pushed at first, and then lies still.
    tag: (k) => Math.min(k, 120) / 100,
    ...change,
  };
  const name = ['elbow', 'wrist', 'gripper'];
  const joints = (k: number, position: readonly number[]): JointState => ({
    ...emptyMessage('sensor_msgs/msg/JointState'),
    ...{ header: header(at(k)), name, position: Float64Array.from(position) },
  });
  return Array.from({ length: STEPS }, (_, k): Written[] => {
    const tag = emptyMessage('geometry_msgs/msg/PoseStamped');
    tag.header = { stamp: stampOf(at(k)), frame_id: 'base_link' };
    tag.pose.position.x = is.tag(k);
    const state = joints(k, [is.elbow(k), is.wrist(k), is.gripper(k)]);
    return [
      { topic: '/joint_states', type: 'sensor_msgs/msg/JointState', message: state, logNs: at(k) },
      { topic: '/tag', type: 'geometry_msgs/msg/PoseStamped', message: tag, logNs: at(k) },
      { topic: '/leader', type: 'sensor_msgs/msg/JointState', message: joints(k, is.wanted(k)), logNs: at(k) },
    ];
  }).flat();
}

interface Car {
  readonly speed: (k: number) => number;
  readonly x: (k: number) => number;
  readonly range: (k: number, beam: number) => number;
  readonly turn: (k: number) => number;
}

/** Stands for the first two seconds, then drives. */
const drive = (k: number): number => (k < 40 ? 0 : 0.6);
/** A number of a sensor with noise. */
const noise = (k: number, i = 0): number => 0.01 * Math.sin(12.9898 * (k + 1) + 78.233 * i);

function carBag(change: Partial<Car> = {}): Written[] {
  const is: Car = {
    speed: drive,
    x: (k) => 0.03 * Math.max(0, k - 40),
    range: (k, beam) => 1 + 0.3 * Math.sin(beam) + noise(k, beam),
    turn: (k) => noise(k),
    ...change,
  };
  return Array.from({ length: STEPS }, (_, k): Written[] => {
    const odom = emptyMessage('nav_msgs/msg/Odometry');
    odom.header = { stamp: stampOf(at(k)), frame_id: 'odom' };
    odom.pose.pose.position.x = is.x(k);
    odom.pose.pose.orientation.w = 1;
    const scan = emptyMessage('sensor_msgs/msg/LaserScan');
    Object.assign(scan, { header: header(at(k)), range_min: 0.1, range_max: 3.5 });
    scan.ranges = Float32Array.from({ length: 20 }, (_, i) => is.range(k, i));
    const imu = emptyMessage('sensor_msgs/msg/Imu');
    imu.header = header(at(k));
    imu.angular_velocity.z = is.turn(k);
    const command = emptyMessage('geometry_msgs/msg/TwistStamped');
    command.header = header(at(k));
    command.twist.linear.x = is.speed(k);
    return [
      { topic: '/odom', type: 'nav_msgs/msg/Odometry', message: odom, logNs: at(k) },
      { topic: '/scan', type: 'sensor_msgs/msg/LaserScan', message: scan, logNs: at(k) },
      { topic: '/imu', type: 'sensor_msgs/msg/Imu', message: imu, logNs: at(k) },
      { topic: '/bumper', type: 'std_msgs/msg/Bool', message: { data: k > 350 }, logNs: at(k) },
      { topic: '/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', message: command, logNs: at(k) },
    ];
  }).flat();
}

async function frozen(messages: readonly Written[], spec: RobotSpec): Promise<string[]> {
  const bag = await writeBag(join(temporaryFolder(), 'bag.mcap'), messages);
  const { episodes, report } = await readDemonstrations([bag], spec);
  return lintDemonstrations(episodes, spec, report)
    .filter(({ check }) => check === 'frozen sensor')
    .map(({ found, remedy }) => `${found} → ${remedy.replaceAll(bag, 'BAG')}`);
}

it.each<[string, RobotSpec, Written[], string]>([
  ['a joint', arm, armBag({ elbow: (k) => swing(frozenAt(k)) }), 'position of elbow of /joint_states'],
  ['an odometry', car, carBag({ x: (k) => 0.03 * Math.max(0, frozenAt(k) - 40) }), 'pose of /odom'],
  ['a scan', car, carBag({ range: (k, i) => 1 + 0.3 * Math.sin(i) + noise(frozenAt(k), i) }), 'ranges of /scan'],
  ['an IMU', car, carBag({ turn: (k) => noise(frozenAt(k)) }), 'every number of /imu'],
])('%s that hangs while its topic goes on is told with its stretch', async (_, spec, bag, field) => {
  expect(await frozen(bag, spec)).toEqual([
    `the same numbers, bit for bit, while the commands moved the robot: ${field} from 10.00 s to 15.00 s ` +
      `(5.00 s, 101 messages; it had changed ${spec === car && field.startsWith('pose') ? 160 : 200} times before) → ` +
      'cut it off (iq-learn trim BAG --to 10.00, or --from 15.00), unless the robot was held there',
  ]);
});

it.each<[string, RobotSpec, Written[]]>([
  ['an arm whose gripper is closed and whose object lies still', arm, armBag()],
  [
    'an arm that is commanded to stay, one joint or all',
    arm,
    armBag({ elbow: (k) => swing(frozenAt(k)), wanted: (k) => [swing(frozenAt(k)), 0.5 * Math.cos(k / 31), grip(k)] }),
  ],
  [
    'a joint at the end of its way',
    arm,
    armBag({ elbow: (k) => Math.min(0.3, 2 * Math.sin(k / 40)), wanted: (k) => [2 * Math.sin(k / 40), 0, 0] }),
  ],
  ['a car that drives on', car, carBag()],
  [
    'a car that stands, with sensors without noise',
    car,
    carBag({
      speed: (k) => (k > FROM && k <= TO ? 0 : 0.6),
      x: (k) => 0.03 * frozenAt(k),
      range: (k, i) => 1 + 0.3 * Math.sin(i + frozenAt(k)),
      turn: (k) => noise(frozenAt(k)),
    }),
  ],
  [
    'a car in the open that sees a part of itself, straight on, without noise',
    car,
    carBag({
      range: (k, i) => (i === 0 ? 0.2 : k < FROM ? 1 + noise(k, i) : 3.5),
      turn: (k) => (k < FROM ? (k < 40 ? 0 : noise(k)) : 0),
    }),
  ],
  [
    'an encoder of few steps, of a car that slows down',
    car,
    carBag({ x: (k) => (k < FROM ? Math.floor(k / 8) : FROM / 8 + Math.floor((k - FROM) / 64)) }),
  ],
  ['a sensor that hangs for a second', car, carBag({ x: (k) => 0.03 * (k > 200 && k <= 220 ? 200 : k) })],
])('%s is no sensor that hangs', async (_, spec, bag) => {
  expect(await frozen(bag, spec)).toEqual([]);
});
