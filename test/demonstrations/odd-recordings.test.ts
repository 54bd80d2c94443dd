import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import zstd from '@foxglove/wasm-zstd';
import { expect, it } from 'vitest';
import {
  type ReadOptions,
  RecordingWriter,
  readDemonstrations,
  summariseRecording,
  writeRecording,
} from '#src/demonstrations/index.js';
import { encode, type JointState, schemaOf, stampOf } from '#src/messages/index.js';
import { parseRobotSpec, type RobotSpec } from '#src/robot/index.js';
import { goal, ms, odometry, scan, vehicle } from '../robot/messages.js';
import { stateOf } from '../support/state.js';
import { type Written, writeBag } from './bag.js';
import { rejection, temporaryFolder, toy, writeEpisode } from './toy.js';

const start = 1_760_000_000_000;
const steps = 40;

/** A sound recording of the vehicle, a message of each topic every 100 ms; `change` alters a message. */
function drive(change: (item: Written, k: number) => Written = (item) => item): Written[] {
  return Array.from({ length: steps + 1 }, (_, k) => k).flatMap((k) => {
    const at = start + 100 * k;
    const header = { stamp: stampOf(ms(at)), frame_id: 'base_link' };
    const twist = { linear: { x: 0.2 + 0.005 * k, y: 0, z: 0 }, angular: { x: 0, y: 0, z: 0.1 } };
    const items: [string, string, object][] = [
      ['/odom', 'nav_msgs/msg/Odometry', odometry(at, { x: 0.02 * k, v: 0.2 })],
      ['/scan', 'sensor_msgs/msg/LaserScan', scan(at, new Array(60).fill(1 + 0.01 * k))],
      ['/goal_pose', 'geometry_msgs/msg/PoseStamped', goal(at, 3)],
      ['/cmd_vel', 'geometry_msgs/msg/TwistStamped', { header, twist }],
    ];
    return items.map(([topic, type, message]) => change({ topic, type, message, logNs: ms(at) }, k));
  });
}

const arm = parseRobotSpec(
  `
robot: arm
description: An arm and its gripper, each with a driver of its own.
rate_hz: 10
frame_id: base
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 500 }
observation:
  - { topic: /joint_states, joints: [elbow, grip], quantity: position, unit: rad }
command: { topic: /cmd, type: sensor_msgs/msg/JointState, timeout_ms: 500 }
teleop: { topic: /teleop }
action:
  - { name: elbow, joint: elbow, unit: rad, low: -30, high: 30 }
estop_topic: /estop
stop: hold
`,
  'arm.yaml',
);

/** The elbow is at k, the gripper at 2 k; the gripper's driver stamps by a clock that is off by `offMs`, or not at all. */
function moves(offMs: number | null, names: readonly [string, string] = ['elbow', 'grip']): Written[] {
  return Array.from({ length: steps + 1 }, (_, k) => k).flatMap((k) => {
    const at = start + 100 * k;
    const joints = (topic: string, name: string, value: number, stampMs: number | null): Written => ({
      topic,
      type: 'sensor_msgs/msg/JointState',
      logNs: ms(at),
      message: {
        header: { stamp: stampMs === null ? { sec: 0, nanosec: 0 } : stampOf(ms(stampMs)), frame_id: '' },
        name: [name],
        position: [value],
        velocity: [],
        effort: [],
      },
    });
    return [
      joints('/joint_states', names[0], k, at),
      joints('/joint_states', names[1], 2 * k, offMs === null ? null : at + offMs),
      joints('/cmd', 'elbow', k / 10, at),
    ];
  });
}

async function read(messages: readonly Written[], spec: RobotSpec = vehicle, options: ReadOptions = {}) {
  const path = await writeBag(join(temporaryFolder(), 'bag_0.mcap'), messages);
  const { episodes, report } = await readDemonstrations([path], spec, options);
  const said = report.recordings.map(summariseRecording).join('\n').replaceAll(path, 'bag');
  return { episodes, report, said };
}

it.each([
  [400, 'ahead of'],
  [-400, 'behind'],
])(
  'a driver of two on one topic whose clock is off by %i ms: moved, as it is live, and said with its joints',
  async (offMs, how) => {
    const { episodes, report, said } = await read(moves(offMs), arm);
    expect(report.transitions).toBe(40);
    const rows = stateOf(episodes[0]!.observations);
    for (let k = 0; k <= steps; k++) expect([rows[2 * k], rows[2 * k + 1]]).toEqual([k, 2 * k]);
    expect(said).toContain(`/joint_states (grip): its stamps are 0.4 s ${how} those of the other topics`);
  },
);

it('a driver of two without stamps counts from its arrival; one since power-on is refused with its joints', async () => {
  const { episodes, said } = await read(moves(null), arm);
  expect([...stateOf(episodes[0]!.observations).slice(20, 22)]).toEqual([10, 20]);
  expect(said).toBe('bag: 1 episode, 40 transitions');
  const refused = await rejection(read(moves(1000 - start), arm));
  expect(refused).toMatchObject({
    code: 'MISMATCH',
    found: expect.stringMatching(
      /\/joint_states \(grip\) is stamped 1970-.*, \/joint_states \(elbow\) is stamped 2025-/,
    ),
  });
  expect((await read(moves(1000 - start), arm, { clock: 'log' })).report.transitions).toBe(40);
});

it('a clock that is set in the middle is shown where it is wrong', async () => {
  const bag = drive((item, k) =>
    item.topic === '/scan' && k >= 20
      ? { ...item, message: scan(start + 100 * k + 5000, new Array(60).fill(1)) }
      : item,
  );
  const { found } = (await rejection(read(bag))) as unknown as { found: string };
  const [, stamped, logged] = /\/scan is stamped (\S+) when it is logged at (\S+),/.exec(found)!;
  expect(Date.parse(stamped!) - Date.parse(logged!)).toBe(5000);
});

it('joints of another robot: the names that came, not that nothing came', async () => {
  expect(await rejection(read(moves(0, ['bot1/elbow', 'bot1/grip']), arm))).toMatchObject({
    found: expect.stringContaining('/joint_states: lacks the joints elbow, grip (it has bot1/elbow)'),
    remedy: expect.stringContaining('adapt the description'),
  });
});

it('messages in no order at all are read in order of their log times, and it is said', async () => {
  const sound = await read(drive());
  let seed = 7;
  const random = (): number => {
    seed = (seed * 16807) % 2147483647;
    return seed;
  };
  const orders: Written[][] = [
    drive().reverse(),
    drive()
      .map((item) => ({ item, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item),
  ];
  for (const messages of orders) {
    const { episodes, said } = await read(messages);
    expect(said).toBe(
      'bag: 1 episode, 40 transitions; its messages are not in order of their log times; they are read in that order',
    );
    expect(episodes[0]!.observations).toEqual(sound.episodes[0]!.observations);
    expect(episodes[0]!.actions).toEqual(sound.episodes[0]!.actions);
  }
});

it('namespaces: every one that fits is named, one too many is told, and what is none is refused', async () => {
  const under = (name: string) => drive((item) => ({ ...item, topic: `/${name}${item.topic}` }));
  const remedy = async (messages: readonly Written[], namespace?: string): Promise<string | undefined> =>
    ((await rejection(read(messages, vehicle, namespace === undefined ? {} : { namespace }))) as { remedy?: string })
      .remedy;
  expect(await remedy([...under('left'), ...under('right')])).toMatch(/--namespace left, or --namespace right$/);
  expect(await remedy(under('left'), 'right')).toMatch(/--namespace left$/);
  expect(await remedy(drive(), 'left')).toContain('leave out --namespace');
  expect(await rejection(read(drive(), vehicle, { namespace: 'bot 1' }))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    found: "'bot 1'",
  });
});

it('a transform that is none is named as the reason', async () => {
  const header = { stamp: stampOf(ms(start)), frame_id: 'map' };
  const transform = { translation: { x: Number.NaN, y: 0, z: 0 }, rotation: { x: 0, y: 0, z: 0, w: 1 } };
  const tf = { transforms: [{ header, child_frame_id: 'odom', transform }] };
  const inMap = drive((item) => {
    const message = item.message as { header: object };
    return item.topic === '/goal_pose'
      ? { ...item, message: { ...message, header: { ...message.header, frame_id: 'map' } } }
      : item;
  });
  const said = [{ topic: '/tf_static', type: 'tf2_msgs/msg/TFMessage', message: tf, logNs: ms(start) }, ...inMap];
  expect(await rejection(read(said))).toMatchObject({
    found: expect.stringContaining(
      "no transform came on /tf or /tf_static that can be used; the transform of 'odom' in 'map' is (NaN, 0, 0), turned by (0, 0, 0, 1)",
    ),
  });
});

it('messages that were packed one by one say so themselves where metadata.yaml is lost', async () => {
  await zstd.isLoaded;
  const sound = await read(drive());
  const packed = drive((item) => ({ ...item, data: zstd.compress(encode(item.type as never, item.message as never)) }));
  const { episodes, said } = await read(packed);
  expect(said).toBe('bag: 1 episode, 40 transitions');
  expect(episodes[0]!.observations).toEqual(sound.episodes[0]!.observations);
  const cut = packed.map((item, i) => (i === 81 ? { ...item, data: item.data!.slice(0, -4) } : item));
  expect((await read(cut)).said).toContain('1 messages that cannot be decoded: /scan');
});

it('a definition that cannot be read: that of this package counts, and it is said', async () => {
  const { report, said } = await read(
    drive((item) => (item.topic === '/goal_pose' ? { ...item, schema: 'geometry_msgs/Pose\n===\nMSG:\tx' } : item)),
  );
  expect(report.transitions).toBe(40);
  expect(said).toMatch(
    /the definition of geometry_msgs\/msg\/PoseStamped cannot be read \(.*\); that of this package is used/,
  );
});

it.each([
  ['float32 range_max', 'float32 range_max\nfloat32 variance', 'float32 variance', 'float32[] ranges, as'],
  ['float32[] intensities', '', 'the definition ends', 'float32[] intensities, as'],
])(
  'a definition that differs is refused with topic, type and the first field that does: %s',
  async (field, put, found, expected) => {
    const schema = schemaOf('sensor_msgs/msg/LaserScan').replace(`${field}\n`, `${put}\n`);
    const refused = await rejection(read(drive((item) => (item.topic === '/scan' ? { ...item, schema } : item))));
    expect(refused).toMatchObject({
      code: 'MISMATCH',
      message: expect.stringMatching(/^\/scan of .*bag_0\.mcap has another definition of sensor_msgs\/msg\/LaserScan/),
      found: expect.stringContaining(found),
      expected: expect.stringContaining(expected),
      remedy: expect.stringContaining('leave /scan out of the description'),
    });
  },
);

it('a packed file that holds none is refused by its own name', async () => {
  const path = join(temporaryFolder(), 'bag.mcap.gz');
  writeFileSync(path, gzipSync(gzipSync('nothing')));
  const refused = await rejection(readDemonstrations([path], vehicle));
  expect(refused).toMatchObject({
    code: 'CORRUPT_DATA',
    message: expect.stringContaining(`${path} is not an MCAP file`),
  });
});

it('an interrupted copy leaves nothing behind, no folder that it made either', async () => {
  const folder = temporaryFolder();
  const path = await writeBag(join(folder, 'bag_0.mcap'), drive());
  let asked = 0;
  const later = {
    get aborted(): boolean {
      return ++asked > 50;
    },
  } as AbortSignal;
  expect(await rejection(writeRecording([path], join(folder, 'a', 'b'), {}, later))).toMatchObject({
    code: 'CANCELLED',
  });
  expect(asked).toBeGreaterThan(50);
  expect(existsSync(join(folder, 'a'))).toBe(false);
  // What was there before stays.
  mkdirSync(join(folder, 'c'));
  asked = 0;
  await rejection(writeRecording([path], join(folder, 'c', 'd'), {}, later));
  expect(existsSync(join(folder, 'c'))).toBe(true);
  expect(existsSync(join(folder, 'c', 'd'))).toBe(false);
  expect(openFilesIn(folder)).toEqual([]);
});

/** Files of a folder that this process holds open; what was removed meanwhile, too. */
const openFilesIn = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', fd));
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });

it('recordings of two robots are not made one, and nothing of it is left', async () => {
  const folder = temporaryFolder();
  const paths: string[] = [];
  for (const spec of [toy, { ...toy, robot: 'other' }]) {
    const writer = await RecordingWriter.create(join(folder, spec.robot), { spec, session: 's' });
    writeEpisode(writer, 0, 5);
    await writer.close();
    paths.push(writer.folder);
  }
  expect(await rejection(writeRecording(paths, join(folder, 'both')))).toMatchObject({ code: 'MISMATCH' });
  expect(existsSync(join(folder, 'both'))).toBe(false);
  expect(openFilesIn(folder)).toEqual([]);
});

/** Messages of one topic by two publishers that take turns: the elbow is where the first says, or at −20. */
const byTurns = (topic: string, k: number, value: number): Written[] =>
  [value, -20].map((position, i) => {
    const logNs = ms(start + 100 * k + 50 * i);
    const message = { header: { stamp: stampOf(logNs), frame_id: '' }, name: ['elbow'], velocity: [], effort: [] };
    return { topic, type: 'sensor_msgs/msg/JointState', logNs, message: { ...message, position: [position] } };
  });

it.each([
  ['drivers of one joint', '/joint_states', 'control periods left out: state refused'],
  ['devices that command one joint', '/cmd', 'control periods left out: command refused'],
])(
  'two %s that contradict each other are said with topic, joint and both values, and not learned from',
  async (_, topic, what) => {
    const sound = moves(0).filter((item) => item.topic !== topic || (item.message as JointState).name[0] === 'grip');
    const messages = Array.from({ length: steps + 1 }, (_, k) => byTurns(topic, k, k / 100)).flat();
    const all = [...sound, ...messages].sort((a, b) => Number(a.logNs - b.logNs));
    const { report, said } = await read(all, arm);
    expect(report.transitions).toBeLessThan(5);
    expect(said).toContain(what);
    expect(said).toMatch(
      new RegExp(`${topic}: position of elbow is -20 and 0\\.\\d+ by turns, expected one publisher of this joint`),
    );
  },
);
