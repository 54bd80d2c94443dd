import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import zstd from '@foxglove/wasm-zstd';
import sqlite from 'node-sqlite3-wasm';
import { describe, expect, it } from 'vitest';
import { type ReadOptions, readDemonstrations, summariseRecording } from '#src/demonstrations/index.js';
import { encode, type MessageTypeName, schemaOf, stampOf } from '#src/messages/index.js';
import type { RobotSpec } from '#src/robot/index.js';
import { goal, ms, odometry, scan, vehicle } from '../robot/messages.js';
import { stateOf } from '../support/state.js';
import { type Written, writeBag } from './bag.js';
import { rejection, temporaryFolder } from './toy.js';

/** Recordings as other people make them: situations from public bug reports, made again with messages of our own. */

const start = 1_760_000_000_000;
const steps = 40;
/** A sound recording of the vehicle, a message of each topic every 100 ms; `change` alters or removes one. */
function drive(change: (item: Written, k: number) => Written | Written[] | null = (item) => item): Written[] {
  const out: Written[] = [];
  for (let k = 0; k <= steps; k++) {
    const at = start + 100 * k;
    const logNs = ms(at);
    const speed = { linear: { x: 0.2 + 0.005 * k, y: 0, z: 0 }, angular: { x: 0, y: 0, z: 0.1 * Math.sin(k) } };
    const header = { stamp: stampOf(ms(at)), frame_id: 'base_link' };
    const items: Written[] = [
      { topic: '/odom', type: 'nav_msgs/msg/Odometry', message: odometry(at, { x: 0.02 * k, v: 0.2 }), logNs },
      { topic: '/scan', type: 'sensor_msgs/msg/LaserScan', message: scan(at, new Array(60).fill(1 + 0.01 * k)), logNs },
      { topic: '/goal_pose', type: 'geometry_msgs/msg/PoseStamped', message: goal(at, 3), logNs },
      { topic: '/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', message: { header, twist: speed }, logNs },
    ];
    for (const item of items) {
      const changed = change(item, k);
      if (changed !== null) out.push(...[changed].flat());
    }
  }
  return out;
}
const shifted = (item: Written, byMs: number): Written => {
  const message = item.message as { header: { stamp: { sec: number; nanosec: number } } };
  const ns = BigInt(message.header.stamp.sec) * 1_000_000_000n + BigInt(message.header.stamp.nanosec) + ms(byMs);
  return { ...item, message: { ...message, header: { ...message.header, stamp: stampOf(ns) } } };
};
const retopic =
  (name: string, change: (item: Written, k: number) => Written | Written[] | null) => (item: Written, k: number) =>
    item.topic === name ? change(item, k) : item;

async function read(
  messages: readonly Written[],
  options: ReadOptions = {},
  spec: RobotSpec = vehicle,
  topics: Written[] = [],
) {
  const path = await writeBag(join(temporaryFolder(), 'bag_0.mcap'), messages, topics);
  const { episodes, report } = await readDemonstrations([path], spec, options);
  const line = report.recordings.map(summariseRecording).join('\n').replaceAll(`${path}`, 'bag');
  return { episodes, report, line };
}
const first = ({ episodes }: Awaited<ReturnType<typeof read>>): number => episodes[0]!.actions[0]!;

describe('reasons are never thrown away', () => {
  it('a sound recording is one line', async () => {
    expect((await read(drive())).line).toBe('bag: 1 episode, 40 transitions');
  });

  it('a frame: topic, field, found and expected, as a live robot says it', async () => {
    const bag = drive(
      retopic('/odom', (item) => {
        const message = item.message as ReturnType<typeof odometry>;
        return { ...item, message: { ...message, header: { ...message.header, frame_id: 'bot1/odom' } } };
      }),
    );
    expect(await rejection(read(bag))).toMatchObject({
      code: 'CORRUPT_DATA',
      found: expect.stringContaining("/odom: header.frame_id is 'bot1/odom', expected 'odom'"),
    });
  });

  it('what is left out of a recording, in one line', async () => {
    const bag = drive(
      retopic('/scan', (item, k) => {
        if (k === 20) return null;
        const message = item.message as ReturnType<typeof scan>;
        return k === 30 ? { ...item, message: { ...message, ranges: new Array(60).fill(Number.NaN) } } : item;
      }),
    );
    expect((await read(bag)).line).toBe(
      'bag: 3 episodes, 36 transitions; 2 gaps inside episodes; no transition reaches across them; ' +
        '1 control periods left out: state missing: /scan: no message for this control period, expected one every 95 ms; ' +
        '1 control periods left out: state refused: /scan: ranges is NaN in all 4 beams of sector 0, expected a measurement in every sector',
    );
  });

  it('messages that do not decode: how many, of which topic, and why', async () => {
    const xcdr2 = drive(
      retopic('/scan', (item, k) => {
        if (k % 10 !== 5) return item;
        const data = encode('sensor_msgs/msg/LaserScan', item.message as never).slice();
        data.set([0, 7]);
        return { ...item, data };
      }),
    );
    expect((await read(xcdr2)).line).toMatch(/4 messages that cannot be decoded: \/scan: .*encapsulation 0 7/);
  });

  it('a command that lacks what the action needs', async () => {
    const bag = drive(
      retopic('/cmd_vel', (item, k) => {
        const message = item.message as { header: object; twist: { linear: object; angular: object } };
        return k < 10
          ? item
          : { ...item, message: { ...message, twist: { ...message.twist, linear: { x: Number.NaN, y: 0, z: 0 } } } };
      }),
    );
    expect((await read(bag)).line).toContain(
      'command refused: /cmd_vel: the command is not finite; found: linear_velocity',
    );
  });

  it('a topic that is listed and silent', async () => {
    const topics: Written[] = [{ topic: '/goal_pose', type: 'geometry_msgs/msg/PoseStamped', logNs: 0n }];
    const once = {
      ...vehicle,
      stateTopics: vehicle.stateTopics.map((t) => (t.topic === '/goal_pose' ? { ...t, timeoutMs: Infinity } : t)),
    };
    expect(await rejection(read(drive(retopic('/goal_pose', () => null)), {}, once, topics))).toMatchObject({
      code: 'MISMATCH',
      found: 'no message on /goal_pose',
      remedy: expect.stringContaining('give /goal_pose after the recording has begun'),
    });
  });
});

describe('which topic carries the actions', () => {
  const teleop = (item: Written): Written => ({ ...item, topic: '/teleop/cmd_vel' });
  const silent: Written[] = [{ topic: '/teleop/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', logNs: 0n }];

  it('is decided by messages, not by names', async () => {
    const { report } = await read(drive(), {}, vehicle, silent);
    expect(report).toMatchObject({ transitions: 40, recordings: [{ actionTopic: '/cmd_vel' }] });
  });

  it('a short takeover says where the other commands are, and --action takes them', async () => {
    const bag = drive(retopic('/cmd_vel', (item, k) => (k < 10 ? [item, teleop(item)] : item)));
    const taken = await read(bag);
    expect(taken.report.transitions).toBe(10);
    expect(taken.line).toContain('/cmd_vel has 41 messages: --action command takes the actions from there');
    expect((await read(bag, { action: 'command' })).report.transitions).toBe(40);
  });

  it('Twist and TwistStamped carry the same action', async () => {
    const twist = retopic('/cmd_vel', (item) => ({
      ...item,
      type: 'geometry_msgs/msg/Twist',
      message: (item.message as { twist: object }).twist,
    }));
    const plain = await read(drive(twist));
    expect(plain.report.transitions).toBe(40);
    expect([...plain.episodes[0]!.actions]).toEqual([...(await read(drive())).episodes[0]!.actions]);
  });

  it('under a namespace: offered, and read', async () => {
    const bag = drive((item) => {
      const message = item.message as { header: { frame_id: string } };
      const frame_id = `bot1/${message.header.frame_id}`;
      return { ...item, topic: `/bot1${item.topic}`, message: { ...message, header: { ...message.header, frame_id } } };
    });
    expect(await rejection(read(bag))).toMatchObject({ remedy: expect.stringContaining('--namespace bot1') });
    expect((await read(bag, { namespace: 'bot1' })).report.transitions).toBe(40);
    expect((await read(bag, { namespace: '/bot1/' })).report.transitions).toBe(40);
  });
});

describe('time', () => {
  const unstamped = (item: Written): Written => {
    const message = item.message as { header: object };
    return { ...item, message: { ...message, header: { ...message.header, stamp: { sec: 0, nanosec: 0 } } } };
  };

  it('without stamps the log time counts', async () => {
    expect((await read(drive(retopic('/goal_pose', unstamped)))).report.transitions).toBe(40);
    expect((await read(drive(unstamped))).report.transitions).toBe(40);
  });

  it('a clock that is off by less than a second is corrected, and said', async () => {
    for (const byMs of [-400, 400]) {
      const bag = await read(drive(retopic('/cmd_vel', (item) => shifted(item, byMs))));
      expect(bag.report.transitions).toBe(40);
      expect(first(bag)).toBeCloseTo(0.2, 5);
      expect(bag.line).toContain(
        `/cmd_vel: its stamps are 0.4 s ${byMs < 0 ? 'behind' : 'ahead of'} those of the other topics`,
      );
    }
    // Less than half a control period is no difference.
    expect((await read(drive(retopic('/cmd_vel', (item) => shifted(item, 30))))).line).toBe(
      'bag: 1 episode, 40 transitions',
    );
  });

  it('a sensor that stamps late is no drift: its delay is that of a live robot', async () => {
    const late = await read(drive(retopic('/scan', (item) => shifted(item, -150))));
    expect(late.report.transitions).toBe(40);
    expect(late.line).toContain('/scan: its stamps are 0.15 s behind');
  });

  it.each([
    ['seconds', '/cmd_vel', () => 3000],
    ['since power-on', '/scan', () => 2_000_000 - start],
    ['months', '/odom', () => -96 * 86_400_000],
    ['a drift', '/scan', (k: number) => 20 * k],
  ])('clocks that are apart by %s are refused with both times; log times read them', async (_, topic, by) => {
    const bag = drive(retopic(topic, (item, k) => shifted(item, by(k))));
    expect(await rejection(read(bag))).toMatchObject({
      code: 'MISMATCH',
      found: expect.stringMatching(new RegExp(`${topic} is stamped .*Z when it is logged at .*Z, /\\w+ is stamped`)),
      remedy: expect.stringContaining('--clock log'),
    });
    const logged = await read(bag, { clock: 'log' });
    expect(logged.report.transitions).toBe(40);
    expect(first(logged)).toBeCloseTo(0.2, 5);
  });

  it('simulated time on a recorder with the time of day: commands without stamps count from their arrival', async () => {
    const twist = (item: Written): Written => ({
      ...item,
      type: 'geometry_msgs/msg/Twist',
      message: (item.message as { twist: object }).twist,
    });
    // The simulation runs at half speed: the log passes twice as fast as the stamps.
    const bag = drive((item, k) => {
      const logged = { ...item, logNs: ms(start + 200 * k) };
      return item.topic === '/cmd_vel' ? twist(logged) : shifted(logged, 1000 - start);
    });
    const simulated = await read(bag);
    expect(simulated.report.transitions).toBe(40);
    expect([...simulated.episodes[0]!.actions]).toEqual([...(await read(drive())).episodes[0]!.actions]);
  });

  it('without log times nothing is said about clocks', async () => {
    expect((await read(drive((item) => ({ ...item, logNs: 0n })))).line).toBe('bag: 1 episode, 40 transitions');
  });

  it('a goal that is said once counts from its arrival where its stamp is of another clock', async () => {
    const once = {
      ...vehicle,
      stateTopics: vehicle.stateTopics.map((t) => (t.topic === '/goal_pose' ? { ...t, timeoutMs: Infinity } : t)),
    };
    const said = (hoursOff: number) =>
      drive(
        retopic('/goal_pose', (item, k) =>
          k === 0 || k === 20
            ? shifted({ ...item, message: goal(start + 100 * k, k === 0 ? 1 : 2) }, hoursOff * 3_600_000)
            : null,
        ),
      );
    for (const hours of [0, -2, 2]) {
      const { episodes } = await read(said(hours), {}, once);
      const distance = (k: number): number => stateOf(episodes[0]!.observations)[k * vehicle.observation.length]!;
      expect([distance(0), distance(19), distance(20)].map((d) => Math.round(d * 100) / 100)).toEqual([1, 0.62, 1.6]);
    }
  });

  it('stamps cut to seconds: refused with the topic, read by log times', async () => {
    const bag = drive(retopic('/odom', (item, k) => shifted(item, -((100 * k) % 1000))));
    expect(await rejection(read(bag))).toMatchObject({
      found: expect.stringContaining('/odom: two messages with the same stamp differ'),
    });
    expect((await read(bag, { clock: 'log' })).report.transitions).toBe(40);
  });
});

describe('forms of files', () => {
  it('definitions as ros2idl, definitions that are missing, and old type names: the own definition counts, and is said', async () => {
    const idl = await read(
      drive(retopic('/cmd_vel', (item) => ({ ...item, encoding: 'ros2idl', schema: 'module x {};' }))),
    );
    expect(idl.line).toContain(
      'the definition of geometry_msgs/msg/TwistStamped is stored as ros2idl; that of this package is used',
    );
    const none = await read(drive(retopic('/goal_pose', (item) => ({ ...item, encoding: '', schema: '' }))));
    expect(none.line).toContain('the definition of geometry_msgs/msg/PoseStamped is missing');
    const old = await read(drive((item) => ({ ...item, type: item.type.replace('/msg/', '/') })));
    expect([idl, none, old].map(({ report }) => report.transitions)).toEqual([40, 40, 40]);
  });

  it.each([
    ['empty', '', /an empty file, as when the recorder was killed/],
    ['cut', 'rosbag2_bagfile_information:\n  version: 9\n  storage_identifier: mcap\n  dura', /a file that is cut/],
    [
      'without a storage',
      'rosbag2_bagfile_information:\n  storage_identifier: ""\n  relative_file_paths: [bag_0.mcap]\n',
      null,
    ],
  ])('metadata.yaml that is %s does not hide a sound file', async (_, text, said) => {
    const folder = join(temporaryFolder(), 'bag');
    mkdirSync(folder);
    await writeBag(join(folder, 'bag_0.mcap'), drive());
    writeFileSync(join(folder, 'metadata.yaml'), text);
    const { report } = await readDemonstrations([folder], vehicle);
    expect(report.transitions).toBe(40);
    const { problems } = report.recordings[0]!;
    if (said === null) expect(problems).toEqual([]);
    else expect(problems[0]).toMatch(said);
  });

  it('a recording that cannot be used does not hide the others of its folder', async () => {
    const folder = temporaryFolder();
    for (const name of ['a', 'b']) await writeBag(join(folder, name, `${name}_0.mcap`), drive());
    await writeBag(
      join(folder, 'c', 'c_0.mcap'),
      drive((item) => (item.topic === '/odom' ? null : item)),
    );
    const { report } = await readDemonstrations([folder], vehicle);
    expect(report.recordings.map(({ transitions }) => transitions)).toEqual([40, 40, 0]);
    expect(summariseRecording(report.recordings[2]!)).toContain('also /odom (nav_msgs/msg/Odometry)');
  });

  it('sqlite3, as Humble records: with and without definitions; the folder of the bag is not touched', async () => {
    const expected = await read(drive());
    for (const definitions of [true, false]) {
      const folder = join(temporaryFolder(), 'bag');
      mkdirSync(folder);
      writeSqlite(join(folder, 'bag_0.db3'), drive(), definitions);
      writeFileSync(join(folder, 'metadata.yaml'), metadata('sqlite3', 'bag_0.db3'));
      const { episodes, report } = await readDemonstrations([folder], vehicle);
      expect(report.transitions).toBe(40);
      expect(episodes[0]!.observations).toEqual(expected.episodes[0]!.observations);
      expect(episodes[0]!.actions).toEqual(expected.episodes[0]!.actions);
      expect(readdirSync(folder).sort()).toEqual(['bag_0.db3', 'metadata.yaml']);
      const ofDefinitions = report.recordings[0]!.problems.filter((text) => text.includes('definition'));
      expect(ofDefinitions).toEqual(
        definitions
          ? []
          : [expect.stringMatching(/the definitions of \w+\/msg\/\w+(, \w+\/msg\/\w+){3} are missing; those of this/)],
      );
    }
  });

  it('a sqlite3 file that is none, or damaged, is refused or said', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'x.db3'), Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(5000, 7)]));
    expect(await rejection(readDemonstrations([join(folder, 'x.db3')], vehicle))).toMatchObject({
      code: 'CORRUPT_DATA',
    });
    const path = join(folder, 'y.db3');
    writeSqlite(path, drive(), true);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    const outcome = await readDemonstrations([path], vehicle).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'CORRUPT_DATA' });
    else
      expect((outcome as Awaited<ReturnType<typeof readDemonstrations>>).report.recordings[0]!.problems).not.toEqual(
        [],
      );
  });

  it('files that are packed as a whole, and messages that are packed one by one', async () => {
    await zstd.isLoaded;
    const folder = temporaryFolder();
    const plain = readFileSync(await writeBag(join(folder, 'plain', 'bag_0.mcap'), drive()));
    const packed: [string, Uint8Array][] = [
      ['bag_0.mcap.zstd', zstd.compress(plain)],
      ['bag_0.mcap.gz', gzipSync(plain)],
    ];
    for (const [name, bytes] of packed) {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      expect((await readDemonstrations([path], vehicle)).report.transitions).toBe(40);
      writeFileSync(path, bytes.slice(0, bytes.length >> 1));
      expect(await rejection(readDemonstrations([path], vehicle))).toMatchObject({ code: 'CORRUPT_DATA' });
    }
    const each = drive((item) => ({ ...item, data: zstd.compress(encode(item.type as never, item.message as never)) }));
    await writeBag(join(folder, 'each', 'bag_0.mcap'), each);
    writeFileSync(join(folder, 'each', 'metadata.yaml'), metadata('mcap', 'bag_0.mcap', 'message'));
    expect((await readDemonstrations([join(folder, 'each')], vehicle)).report.transitions).toBe(40);
  });

  it('a pointer of Git LFS is named', async () => {
    const path = join(temporaryFolder(), 'bag_0.mcap');
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
    expect(await rejection(readDemonstrations([path], vehicle))).toMatchObject({
      found: 'a pointer of Git LFS, not the file itself',
      remedy: 'fetch the file: git lfs pull',
    });
  });
});

function metadata(storage: string, file: string, mode = ''): string {
  const packed = mode === '' ? '' : `  compression_format: zstd\n  compression_mode: ${mode.toUpperCase()}\n`;
  return `rosbag2_bagfile_information:\n  storage_identifier: ${storage}\n${packed}  relative_file_paths: [${file}]\n`;
}

/** A bag as rosbag2_storage_sqlite3 writes it. */
function writeSqlite(path: string, messages: readonly Written[], definitions: boolean): void {
  const database = new sqlite.Database(path);
  database.exec(`
    CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, serialization_format TEXT NOT NULL,
      offered_qos_profiles TEXT NOT NULL);
    CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE INDEX timestamp_idx ON messages (timestamp ASC);`);
  if (definitions)
    database.exec(
      'CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT, encoding TEXT, encoded_message_definition TEXT)',
    );
  database.exec('BEGIN');
  const ids = new Map<string, number>();
  for (const { topic, type, message, logNs } of messages) {
    if (!ids.has(topic)) {
      ids.set(topic, ids.size + 1);
      database.run('INSERT INTO topics VALUES (?, ?, ?, ?, ?)', [ids.get(topic)!, topic, type, 'cdr', '']);
      if (definitions)
        database.run('INSERT INTO message_definitions VALUES (?, ?, ?, ?)', [
          ids.size,
          type,
          'ros2msg',
          schemaOf(type),
        ]);
    }
    const bytes = encode(type as MessageTypeName, message as never);
    database.run('INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)', [ids.get(topic)!, logNs, bytes]);
  }
  database.exec('COMMIT');
  database.close();
}
