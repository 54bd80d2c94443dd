import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Finding,
  lintDemonstrations,
  openRecording,
  readDemonstrations,
  summariseRecording,
  writeRecording,
} from '#src/demonstrations/index.js';
import {
  decode,
  emptyMessage,
  header,
  type JointState,
  type MessageTypeName,
  stampOf,
  type TwistStamped,
} from '#src/messages/index.js';
import { parseRobotSpec, type RobotSpec } from '#src/robot/index.js';
import { type Written, writeBag } from './bag.js';
import { at, describedCar, START } from './described.js';
import { temporaryFolder } from './toy.js';

const STEPS = 160;

const description = (more = ''): string => `
robot: lever
description: An arm of two joints with a leader.
rate_hz: 20
frame_id: base_link
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 200 }
observation:
  - { topic: /joint_states, joints: [elbow, wheel], quantity: position, unit: rad }
  ${more}
command: { topic: /arm/joint_trajectory, type: trajectory_msgs/msg/JointTrajectory, timeout_ms: 200 }
teleop: { topic: /leader, type: sensor_msgs/msg/JointState, timeout_ms: 200 }
action:
  - { name: elbow, joint: elbow, unit: rad, low: -2, high: 2, max_rate: 3 }
estop_topic: /estop
stop: hold
`;
const arm = parseRobotSpec(description(), 'lever.yaml');

const car = describedCar({
  observation: [
    '{ name: x, topic: /odom, field: pose.pose.position.x, unit: m }',
    '{ name: scan, topic: /scan, sectors: 2, low: 0, high: 2 }',
  ],
});

/** Numbers of an arm that moves, by the step. */
const elbow = (k: number): number => 1.2 * Math.sin(k / 13);
const lists = (names: string[], values: number[]): Partial<JointState> => ({
  name: names,
  position: Float64Array.from(values),
});
const joints = (k: number, change: Partial<JointState>): JointState => ({
  ...emptyMessage('sensor_msgs/msg/JointState'),
  header: header(at(k)),
  ...change,
});

/** A recording of the arm; the wheel turns on and on. */
const armBag = (
  state: (k: number) => Partial<JointState> = (k) => lists(['elbow', 'wheel'], [elbow(k), 0.7 * k]),
  leader: (k: number) => Partial<JointState> = (k) => lists(['elbow'], [elbow(k + 4)]),
): Written[] =>
  Array.from({ length: STEPS }, (_, k): Written[] => [
    { topic: '/joint_states', type: 'sensor_msgs/msg/JointState', message: joints(k, state(k)), logNs: at(k) },
    { topic: '/leader', type: 'sensor_msgs/msg/JointState', message: joints(k, leader(k)), logNs: at(k) + 1n },
  ]).flat();

interface Drive {
  readonly speed: (k: number) => number;
  readonly sideways: number;
  readonly rangeMax: number;
  readonly unit: number;
  readonly stamp: (k: number) => bigint;
}

const carBag = (change: Partial<Drive> = {}): Written[] => {
  const drive: Drive = { speed: (k) => Math.sin(k / 9), sideways: 0, rangeMax: 3.5, unit: 1, stamp: at, ...change };
  return Array.from({ length: STEPS }, (_, k): Written[] => {
    const odom = emptyMessage('nav_msgs/msg/Odometry');
    odom.header = { stamp: stampOf(drive.stamp(k)), frame_id: 'odom' };
    odom.pose.pose.position.x = Math.sin(k / 20);
    const scan = emptyMessage('sensor_msgs/msg/LaserScan');
    Object.assign(scan, { header: header(at(k)), range_min: 0.1 * drive.unit, range_max: drive.rangeMax });
    scan.ranges = Float32Array.from({ length: 8 }, (_, i) => drive.unit * (1 + 0.5 * Math.sin(i + k / 7)));
    const command = emptyMessage('geometry_msgs/msg/TwistStamped');
    command.header = header(at(k));
    command.twist.linear = { x: drive.speed(k), y: drive.sideways, z: 0 };
    return [
      { topic: '/odom', type: 'nav_msgs/msg/Odometry', message: odom, logNs: at(k) },
      { topic: '/scan', type: 'sensor_msgs/msg/LaserScan', message: scan, logNs: at(k) },
      { topic: '/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', message: command, logNs: at(k) },
    ];
  }).flat();
};

async function read(messages: readonly Written[], spec: RobotSpec) {
  const bag = await writeBag(join(temporaryFolder(), 'bag.mcap'), messages);
  const { episodes, report } = await readDemonstrations([bag], spec);
  const findings = lintDemonstrations(episodes, spec, report);
  const [summary] = report.recordings.map(summariseRecording);
  return { findings, transitions: report.transitions, summary: summary! };
}
const told = (findings: readonly Finding[], check: Finding['check']): string[] =>
  findings.filter((each) => each.check === check).map(({ found, remedy }) => `${found} → ${remedy}`);

describe('numbers of another unit', () => {
  const degrees = 180 / Math.PI;
  const inDegrees = (k: number) => lists(['elbow', 'wheel'], [degrees * elbow(k), 0.7 * k]);

  it('are not seen in an arm that gives radians, or in a wheel that turns on and on', async () => {
    expect(told((await read(armBag(), arm)).findings, 'another unit')).toEqual([]);
    const backAndForth = armBag((k) => lists(['elbow', 'wheel'], [elbow(k), 300 * Math.sin(k / 40)]));
    expect(told((await read(backAndForth, arm)).findings, 'another unit')).toEqual([]);
  });

  it('are seen where a joint is far beyond what it is commanded, though its feature has no limits', async () => {
    const [said, ...others] = told((await read(armBag(inDegrees), arm)).findings, 'another unit');
    expect(said).toMatch(/^elbow_position is -68\.8…68\.8 rad, its limit is 2 → .*radians \(degrees × 0\.0174533\)/);
    expect(others).toEqual([]);
  });

  it('are seen behind limits, which hide them from the policy', async () => {
    const limited = parseRobotSpec(description().replace('unit: rad }', 'unit: rad, low: -3.1, high: 3.1 }'), 'a.yaml');
    const bag = armBag((k) => lists(['elbow', 'wheel'], [elbow(k), 90 * Math.sin(k / 20)]));
    expect(told((await read(bag, limited)).findings, 'another unit')).toEqual([
      expect.stringMatching(/^wheel_position is -90…90 rad, its limit is 3\.1 →/),
    ]);
  });

  it('are seen in a joint of which nothing is known, where it moves by whole tenths of a degree', async () => {
    const bag = armBag((k) => lists(['elbow', 'wheel'], [elbow(k), Math.round(900 * Math.sin(k / 20)) / 10]));
    expect(told((await read(bag, arm)).findings, 'another unit')).toEqual([
      expect.stringMatching(/^wheel_position is -90…90 rad, in steps of 0\.1 or more →/),
    ]);
  });

  it('are seen in velocities, and in a joint that moves faster than it is ever commanded', async () => {
    const text = description('- { topic: /joint_states, joints: [elbow], quantity: velocity, unit: rad/s }');
    const velocity = (k: number, unit: number) => ({
      ...lists(['elbow', 'wheel'], [elbow(k), 0]),
      velocity: Float64Array.of(unit * 1.8 * Math.cos(k / 13), 0),
    });
    const spec = parseRobotSpec(text, 'a.yaml');
    expect(
      told(
        (
          await read(
            armBag((k) => velocity(k, 1)),
            spec,
          )
        ).findings,
        'another unit',
      ),
    ).toEqual([]);
    expect(
      told(
        (
          await read(
            armBag((k) => velocity(k, degrees)),
            spec,
          )
        ).findings,
        'another unit',
      ),
    ).toEqual([expect.stringMatching(/^elbow_velocity is -103…103 rad\/s, its limit is 3 →/)]);
    const wide = parseRobotSpec(description().replace('low: -2, high: 2', 'low: -30, high: 30'), 'a.yaml');
    expect(told((await read(armBag(inDegrees), wide)).findings, 'another unit')).toEqual([
      expect.stringMatching(/^elbow_position .* moves by 1\d\d rad\/s, where its limit is 3 →/),
    ]);
  });

  it('are seen in commands, whose remedy says so', async () => {
    const bag = armBag(undefined, (k) => lists(['elbow'], [degrees * elbow(k)]));
    expect(told((await read(bag, arm)).findings, 'beyond limits')[0]).toMatch(/degrees × 0\.0174533/);
  });

  it('are seen in a scanner that gives millimetres, to which everything is free', async () => {
    expect(told((await read(carBag(), car)).findings, 'another unit')).toEqual([]);
    const all = carBag({ unit: 1000, rangeMax: 3500 });
    expect(told((await read(all, car)).findings, 'another unit')[0]).toMatch(
      /^range_max of \/scan is 3500 m →.*0\.001/,
    );
    const ranges = carBag({ unit: 1000, rangeMax: 3.5 }).map((each) =>
      each.topic === '/scan' ? { ...each, message: { ...each.message, range_min: 0.1 } } : each,
    );
    expect(told((await read(ranges, car)).findings, 'another unit')[0]).toMatch(
      /^100 % of the ranges of \/scan are beyond its range_max, 3\.5 m →/,
    );
  });
});

describe('commands', () => {
  it('whose numbers no action has are said, a little noise in them is not', async () => {
    expect(told((await read(carBag(), car)).findings, 'unread commands')).toEqual([]);
    expect(told((await read(carBag({ sideways: 0.4 }), car)).findings, 'unread commands')).toEqual([
      expect.stringMatching(/^\/cmd_vel carries twist\.linear\.y \(up to 0\.4\), which no entry of the action has →/),
    ]);
  });

  it('of two publishers by turns are said, and those of one that goes to and fro are not', async () => {
    expect(told((await read(carBag(), car)).findings, 'commands by turns')).toEqual([]);
    const byTurns = carBag({ speed: (k) => (k % 2 === 0 ? 0.5 + 0.2 * Math.sin(k / 30) : 0) });
    expect(told((await read(byTurns, car)).findings, 'commands by turns')[0]).toMatch(
      /^speed on \/cmd_vel jumps to and fro in 15\d of 160 messages → stop one of the two/,
    );
  });
});

describe('a recording with odd messages is refused, or read, and says so', () => {
  const refused = (messages: readonly Written[], spec: RobotSpec) =>
    read(messages, spec).then(
      () => 'read',
      ({ message }: Error) => message,
    );

  it.each<[string, Written[], RegExp]>([
    [
      'a joint twice in the state',
      armBag((k) => lists(['elbow', 'wheel', 'elbow'], [elbow(k), 0, 7])),
      /\/joint_states: names elbow twice, expected once/,
    ],
    [
      'a joint twice in the command',
      armBag(undefined, (k) => lists(['elbow', 'elbow'], [elbow(k), 1.7])),
      /\/leader: the command names a joint twice; found: elbow; expected: each joint once/,
    ],
    [
      'fewer positions than names in the command',
      armBag(undefined, (k) => lists(['wheel', 'elbow'], [elbow(k)])),
      /\/leader: the command has another number of position than of joints; found: 1 position for 2 joints/,
    ],
  ])('%s', async (_, messages, said) => {
    expect(await refused(messages, arm)).toMatch(said);
  });

  it('a driver that repeats its stamp is named, not the clocks of the others', async () => {
    const { summary } = await read(carBag({ stamp: (k) => at(Math.min(k, 30)) }), car);
    expect(summary).toMatch(/state refused: \/odom: two messages with the same stamp differ/);
  });

  it('log times that run backwards do not turn a sound recording round', async () => {
    const back = carBag().map((each) => ({ ...each, logNs: 2n * START - each.logNs + 100_000_000_000n }));
    const { transitions, summary } = await read(back, car);
    expect(transitions).toBe(STEPS - 1);
    expect(summary).toMatch(/log times go back again and again; it is read in the order of the file/);
  });

  it('names that change their order stay with their joints', async () => {
    const { findings, transitions } = await read(
      armBag((k) =>
        k < 80 ? lists(['elbow', 'wheel'], [elbow(k), 0.01 * k]) : lists(['wheel', 'elbow'], [0.01 * k, elbow(k)]),
      ),
      arm,
    );
    expect(transitions).toBe(STEPS - 1);
    expect(findings.filter(({ level }) => level !== 'note')).toEqual([]);
  });

  it('a copy of a file in a folder, and a recording that is given twice, do not count twice', async () => {
    const folder = join(temporaryFolder(), 'bag');
    const bag = await writeBag(join(folder, 'bag_0.mcap'), carBag());
    copyFileSync(bag, join(folder, 'bag_0 (copy).mcap'));
    const { report } = await readDemonstrations([folder], car);
    expect(report.transitions).toBe(STEPS - 1);
    expect(report.recordings[0]!.problems).toEqual([expect.stringMatching(/is a copy of .*, and is left out$/)]);
    await expect(readDemonstrations([bag, join(folder, '..', 'bag', 'bag_0.mcap')], car)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/given twice; found: .*bag_0\.mcap; expected: each recording once/),
    });
  });

  it('two types on a topic stay what they are in a recording that is written anew', async () => {
    const folder = temporaryFolder();
    const [first, second] = [carBag(), carBag()];
    const twists = second.map((each) =>
      each.topic === '/cmd_vel'
        ? { ...each, type: 'geometry_msgs/msg/Twist', message: (each.message as TwistStamped).twist }
        : { ...each, topic: `/other${each.topic}` },
    );
    const bags = [
      await writeBag(join(folder, 'a.mcap'), first),
      await writeBag(join(folder, 'b.mcap'), twists),
    ] as const;
    await expect(writeRecording([bags[0], bags[0]], join(folder, 'twice'))).rejects.toThrow(/is given twice/);
    await expect(writeRecording([bags[0]], join(folder, 'c'), { fromSeconds: 3, toSeconds: 1 })).rejects.toThrow(
      /ends before it begins; found: 3 s to 1 s/,
    );
    await writeRecording(bags, join(folder, 'both'));
    const reader = await openRecording(join(folder, 'both'));
    expect(reader.problems).toEqual([
      expect.stringMatching(/\/cmd_vel changes its type to geometry_msgs\/msg\/Twist$/),
    ]);
    const types = new Map<string, number>();
    for await (const message of reader.messages({ topics: ['/cmd_vel'] })) {
      types.set(message.type, (types.get(message.type) ?? 0) + 1);
      decode(message.type as MessageTypeName, message.data);
    }
    expect([...types.values()]).toEqual([STEPS, STEPS]);
  });

  it('an episode that was cut into parts, each with one action, is told once', async () => {
    const slow = carBag({ speed: (k) => 0.5 * Math.sin(Math.floor(k / 20)) }).filter(
      ({ topic, logNs }) => topic !== '/cmd_vel' || ((logNs - START) / 50_000_000n) % 20n === 0n,
    );
    const constant = told((await read(slow, car)).findings, 'constant action');
    expect(constant).toHaveLength(1);
    expect(constant[0]).toMatch(/and \d other parts of it/);
  });
});
