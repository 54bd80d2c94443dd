import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import zstd from '@foxglove/wasm-zstd';
import { McapWriter } from '@mcap/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import {
  type DemonstrationEpisode,
  openRecording,
  RecordingWriter,
  readDemonstrations,
} from '#src/demonstrations/index.js';
import { encode, schemaOf } from '#src/messages/index.js';
import { stateOf } from '../support/state.js';
import {
  command,
  expectTrue,
  joints,
  rejection,
  stampAt,
  stateTopic,
  teleopTopic,
  temporaryFolder,
  toy,
  writeEpisode,
} from './toy.js';

let sound: Buffer;
let whole: DemonstrationEpisode[];
const folder = (): string => temporaryFolder();

beforeAll(async () => {
  const path = join(folder(), 'sound');
  const writer = await RecordingWriter.create(path, { spec: toy, session: 's', chunkBytes: 1500 });
  for (let episode = 0; episode < 3; episode++) writeEpisode(writer, episode, 12);
  await writer.close();
  sound = readFileSync(join(path, 'sound_0.mcap'));
  whole = (await readDemonstrations([path], toy)).episodes;
  expect(whole.map(({ length }) => length)).toEqual([12, 12, 12]);
});

/** Reads damaged bytes: what survives is true and nothing is lost silently, or there is one clear error. */
async function survivors(path: string, bytes: Uint8Array): Promise<number> {
  writeFileSync(path, bytes);
  try {
    const { episodes, report } = await readDemonstrations([path], toy);
    expectTrue(episodes);
    const count = episodes.reduce((sum, { length }) => sum + length, 0);
    for (const { terminated, observations, length } of episodes)
      if (terminated) expect(stateOf(observations)[2 * length]).toBe(12);
    if (count < 36) expect(report.recordings[0]!.problems.length).toBeGreaterThan(0);
    return count;
  } catch (error) {
    expect(error).toBeInstanceOf(IqLearnError);
    expect(['CORRUPT_DATA', 'MISMATCH', 'UNSUPPORTED']).toContain((error as IqLearnError).code);
    return 0;
  }
}

describe('fault F27: a damaged recording', () => {
  it('a chunk whose kind is one that nobody knows, without an index at the end of the file: the place is a loss', async () => {
    const path = join(folder(), 'kind.mcap');
    const chunks: number[] = [];
    for (let at = 8; at + 9 < sound.length; at += 9 + Number(sound.readBigUInt64LE(at + 1)))
      if (sound[at] === 6) chunks.push(at);
    expect(chunks.length).toBeGreaterThan(5);
    for (const at of chunks) {
      const bytes = Uint8Array.from(sound);
      bytes[at] = 211;
      bytes[bytes.length - 12]! ^= 1; // the checksum of the summary
      await survivors(path, bytes);
      // Without the chunk that introduces the topics nothing is left to learn from.
      const said = await readDemonstrations([path], toy).then(
        ({ report }) => report.recordings[0]!.problems.join(' '),
        String,
      );
      expect(said).toMatch(/an index of messages without a chunk that holds them/);
    }
  });

  it('cut anywhere: what was recorded before, and nothing else', async () => {
    const path = join(folder(), 'cut.mcap');
    let least = 0;
    for (let n = 0; n < sound.length; n += 149) {
      const count = await survivors(path, sound.subarray(0, n));
      expect(count).toBeGreaterThanOrEqual(least); // more bytes, never less
      least = count;
    }
    expect(least).toBe(36);
  });

  it('a byte changed anywhere: told, or harmless', async () => {
    const path = join(folder(), 'changed.mcap');
    for (let at = 3; at < sound.length; at += 97) {
      const bytes = Uint8Array.from(sound);
      bytes[at]! ^= 0x55;
      await survivors(path, bytes);
    }
  });

  it('reports a wrong CRC with its place and keeps what precedes it', async () => {
    const path = join(folder(), 'crc.mcap');
    const bytes = Uint8Array.from(sound);
    const at = Buffer.from(bytes).lastIndexOf(encode('sensor_msgs/msg/JointState', joints(stampAt(2, 11), 2, 11)));
    bytes[at + 60]! ^= 1;
    writeFileSync(path, bytes);
    const { episodes, report } = await readDemonstrations([path], toy);
    expect(report.recordings[0]!.problems.join()).toMatch(/damaged at about byte \d+: Incorrect chunk CRC/);
    expectTrue(episodes);
    expect(episodes.map(({ terminated }) => terminated)).toEqual([true, true, false]);
  });

  it.each([
    ['an empty file', Buffer.alloc(0), 'CORRUPT_DATA', /an empty file/],
    ['a text', Buffer.from('hello, this is no recording'), 'CORRUPT_DATA', /not an MCAP file/],
    [
      'a sqlite3 bag that is cut',
      Buffer.from('SQLite format 3\0 and so on'),
      'CORRUPT_DATA',
      /cannot be read as a bag/,
    ],
    ['a ROS 1 bag', Buffer.from('#ROSBAG V2.0\n'), 'UNSUPPORTED', /rosbags-convert/],
  ])('refuses %s', async (_, bytes, code, text) => {
    const path = join(folder(), 'x.mcap');
    writeFileSync(path, bytes);
    expect(await rejection(openRecording(path))).toMatchObject({ code, message: expect.stringMatching(text) });
  });

  it('refuses what is not there, and what holds no message', async () => {
    const here = folder();
    expect(await rejection(openRecording(join(here, 'none')))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection(openRecording(here))).toMatchObject({ code: 'NOT_FOUND' });
    const writer = await RecordingWriter.create(join(here, 'quiet'), { spec: toy, session: 's' });
    await writer.close();
    expect(await rejection(openRecording(join(here, 'quiet')))).toMatchObject({
      code: 'CORRUPT_DATA',
      message: expect.stringContaining('holds no message'),
    });
  });

  it("refuses another robot's recording and names both", async () => {
    const path = join(folder(), 'sound.mcap');
    writeFileSync(path, sound);
    expect(await rejection(readDemonstrations([path], { ...toy, robot: 'other' }))).toMatchObject({
      code: 'MISMATCH',
      found: "robot 'toy'",
      expected: "robot 'other'",
    });
  });
});

interface Foreign {
  readonly profile?: string;
  readonly encoding?: string;
  readonly schemaEncoding?: string;
  readonly schema?: string;
  readonly compress?: boolean;
  readonly episode?: number;
  readonly topics?: readonly string[];
}

/** A file as `ros2 bag record` (or something else) makes it: no markers, no record of ours. */
async function foreignFile(path: string, options: Foreign = {}): Promise<void> {
  const parts: Uint8Array[] = [];
  let size = 0n;
  const writable = {
    position: () => size,
    write: async (bytes: Uint8Array) => {
      parts.push(bytes.slice());
      size += BigInt(bytes.length);
    },
  };
  await zstd.isLoaded;
  const writer = new McapWriter({
    writable,
    chunkSize: 2000,
    ...(options.compress
      ? { compressChunk: (data: Uint8Array) => ({ compression: 'zstd', compressedData: zstd.compress(data) }) }
      : {}),
  });
  await writer.start({ profile: options.profile ?? 'ros2', library: 'libmcap' });
  const channel = async (topic: string, type: string): Promise<number> =>
    await writer.registerChannel({
      topic,
      messageEncoding: options.encoding ?? 'cdr',
      metadata: new Map(),
      schemaId: await writer.registerSchema({
        name: type,
        encoding: options.schemaEncoding ?? 'ros2msg',
        data: new TextEncoder().encode(options.schema ?? schemaOf(type)),
      }),
    });
  const episode = options.episode ?? 0;
  const [state, act] = options.topics ?? [stateTopic, teleopTopic];
  const states = await channel(state!, 'sensor_msgs/msg/JointState');
  const commands = await channel(act!, 'geometry_msgs/msg/TwistStamped');
  for (let k = 0; k <= 20; k++) {
    const time = { sequence: 0, logTime: stampAt(episode, k), publishTime: stampAt(episode, k) };
    const stamp = stampAt(episode, k);
    await writer.addMessage({
      ...time,
      channelId: states,
      data: encode('sensor_msgs/msg/JointState', joints(stamp, episode, k)),
    });
    await writer.addMessage({
      ...time,
      channelId: commands,
      data: encode('geometry_msgs/msg/TwistStamped', command(stamp, episode, k)),
    });
  }
  await writer.end();
  writeFileSync(path, Buffer.concat(parts));
}

describe('files of ros2 bag record', () => {
  it.each([false, true])('a bare file without markers is one truncated episode (zstd: %s)', async (compress) => {
    const path = join(folder(), 'bag.mcap');
    await foreignFile(path, { compress });
    const { episodes, report } = await readDemonstrations([path], toy);
    expect(episodes).toMatchObject([{ length: 20, terminated: false, truncated: true, seed: null }]);
    expectTrue(episodes);
    expect(report.recordings[0]).toMatchObject({ problems: [], actionTopic: teleopTopic });
  });

  it('a folder of several files, in the order of metadata.yaml', async () => {
    const path = join(folder(), 'bag');
    mkdirSync(path);
    for (const n of [0, 1]) await foreignFile(join(path, `bag_${n}.mcap`), { episode: n, compress: n === 1 });
    const files = ['bag_0.mcap', 'bag_1.mcap', 'bag_2.mcap'].map((name) => `    - ${name}`).join('\n');
    writeFileSync(
      join(path, 'metadata.yaml'),
      `rosbag2_bagfile_information:\n  version: 8\n  storage_identifier: mcap\n  compression_mode: ''\n  relative_file_paths:\n${files}\n`,
    );
    const { episodes, report } = await readDemonstrations([path], toy);
    expectTrue(episodes);
    expect(episodes.map(({ length, observations }) => [length, stateOf(observations)[1]])).toEqual([
      [20, 0],
      [20, 1],
    ]);
    expect(report.recordings[0]!.problems).toEqual([`${path} lacks bag_2.mcap, which metadata.yaml lists`]);
  });

  it('takes the command where no teleoperation was recorded, and says so', async () => {
    const path = join(folder(), 'bag.mcap');
    await foreignFile(path, { topics: [stateTopic, '/cmd_vel'] });
    const { report } = await readDemonstrations([path], toy);
    expect(report.recordings[0]!.actionTopic).toBe('/cmd_vel');
    expect(await rejection(readDemonstrations([path], toy, { action: 'teleop' }))).toMatchObject({
      code: 'MISMATCH',
      expected: expect.stringContaining(teleopTopic),
    });
  });

  it.each<[string, Foreign, string, RegExp]>([
    ['profile ros1', { profile: 'ros1' }, 'UNSUPPORTED', /profile 'ros1'/],
    ['protobuf', { profile: '', encoding: 'protobuf', schemaEncoding: 'protobuf' }, 'UNSUPPORTED', /'protobuf'/],
    ['json', { profile: '', encoding: 'json', schemaEncoding: 'jsonschema' }, 'UNSUPPORTED', /'json'/],
    [
      'another definition',
      { schema: 'float64[] position\n' },
      'MISMATCH',
      /\/joint_states of .* has another definition of sensor_msgs\/msg\/JointState; found: as the first field that differs float64\[\] position/,
    ],
    ['missing topics', { topics: ['/states', '/commands'] }, 'MISMATCH', /also \/joint_states .*\/teleop\/cmd_vel/],
  ])('refuses %s', async (_, options, code, text) => {
    const path = join(folder(), 'bag.mcap');
    await foreignFile(path, options);
    expect(await rejection(readDemonstrations([path], toy))).toMatchObject({
      code,
      message: expect.stringMatching(text),
    });
  });

  it('reads every recording of a folder and passes over one that was cut at once', async () => {
    const path = folder();
    mkdirSync(join(path, 'a'));
    await foreignFile(join(path, 'a', 'a_0.mcap'));
    mkdirSync(join(path, 'b'));
    writeFileSync(join(path, 'b', 'b_0.mcap.part'), sound.subarray(0, 60));
    const { episodes, report } = await readDemonstrations([path], toy);
    expect(episodes).toHaveLength(1);
    expect(report.recordings[1]!.problems.join()).toMatch(/holds no message/);
  });
});
