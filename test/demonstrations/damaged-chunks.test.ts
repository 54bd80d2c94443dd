import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { McapStreamReader } from '@mcap/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type DemonstrationEpisode,
  RecordingWriter,
  readDemonstrations,
  recover,
  writeRecording,
} from '#src/demonstrations/index.js';
import { decode, header } from '#src/messages/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import {
  expectTrue,
  rejection,
  stampAt,
  temporaryFolder,
  toy,
  toyText,
  writeCommand,
  writeEpisode,
  writeState,
} from './toy.js';

const LENGTH = 12;

interface Frame {
  readonly opcode: number;
  readonly at: number;
  readonly end: number;
}

/** The records of an MCAP file, by their lengths. */
function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 8; at < bytes.length - 8; ) {
    const end = at + 9 + Number(bytes.readBigUInt64LE(at + 1));
    frames.push({ opcode: bytes[at]!, at, end });
    at = end;
  }
  return frames;
}

const chunksOf = (bytes: Buffer): Frame[] => framesOf(bytes).filter(({ opcode }) => opcode === 6);

/** The transitions that are there, as 'episode/step'. */
function stepsOf(episodes: readonly DemonstrationEpisode[]): Set<string> {
  const steps = new Set<string>();
  for (const { length, observations } of episodes) {
    const rows = stateOf(observations);
    for (let t = 0; t < length; t++) steps.add(`${rows[2 * t + 1]}/${rows[2 * t]}`);
  }
  return steps;
}

/** The states, commands and marks of a chunk, as 'state 0/3', 'command 0/3', 'end 0'. */
function contentOf(bytes: Buffer, { at, end }: Frame, names: Map<number, string>): Set<string> {
  const stream = new McapStreamReader();
  // What stands before it introduces its channels.
  stream.append(bytes.subarray(0, end));
  const content = new Set<string>();
  for (let record = stream.nextRecord(); record !== undefined; record = stream.nextRecord()) {
    if (record.type === 'Channel') names.set(record.id, record.topic);
    if (record.type !== 'Message') continue;
    if (bytes.indexOf(record.data, at) >= end || bytes.indexOf(record.data, at) < 0) continue;
    const topic = names.get(record.channelId)!;
    if (topic === '/joint_states') {
      const [episode, step] = decode('sensor_msgs/msg/JointState', record.data).position;
      content.add(`state ${episode}/${step}`);
    } else if (topic === '/teleop/cmd_vel') {
      const { twist } = decode('geometry_msgs/msg/TwistStamped', record.data);
      content.add(`command ${-twist.angular.z}/${twist.linear.x - 0.5}`);
    } else if (topic === '/goal')
      content.add(`goal ${decode('geometry_msgs/msg/PoseStamped', record.data).pose.position.x}`);
    else if (topic === '/episode_events') {
      const { kind, episode } = decode('iq_learn/msg/EpisodeEvent', record.data);
      content.add(`${['start', 'end', 'discard'][kind]} ${episode}`);
    }
  }
  return content;
}

let folder: string;
let sound: Buffer;

beforeAll(async () => {
  folder = temporaryFolder();
  const writer = await RecordingWriter.create(join(folder, 'sound'), { spec: toy, session: 's', chunkBytes: 500 });
  for (let episode = 0; episode < 3; episode++) writeEpisode(writer, episode, LENGTH);
  await writer.close();
  sound = readFileSync(join(folder, 'sound', 'sound_0.mcap'));
});

async function read(bytes: Uint8Array, spec = toy) {
  const path = join(folder, 'damaged.mcap');
  writeFileSync(path, bytes);
  const { episodes, report } = await readDemonstrations([path], spec);
  return { episodes, recording: report.recordings[0]! };
}

describe('fault F27: a damaged chunk', () => {
  it('costs what is in it and no more: every other transition is there, none reaches across, and it is said', async () => {
    const chunks = chunksOf(sound);
    expect(chunks.length).toBeGreaterThan(15);
    for (const chunk of chunks) {
      const content = contentOf(sound, chunk, new Map());
      const bytes = Buffer.from(sound);
      bytes[Math.floor((chunk.at + 60 + chunk.end) / 2)]! ^= 1;
      const { episodes, recording } = await read(bytes);
      expectTrue(episodes);
      const found = stepsOf(episodes);
      for (let episode = 0; episode < 3; episode++)
        for (let k = 0; k < LENGTH; k++) {
          const lost = [`state ${episode}/${k}`, `state ${episode}/${k + 1}`, `command ${episode}/${k}`];
          // Where the next episode begins behind the place, it is not known how this one ended.
          const isUnsure = episode < 2 && content.has(`end ${episode}`);
          if (isUnsure || lost.some((each) => content.has(each))) expect(found).not.toContain(`${episode}/${k}`);
          else expect(found).toContain(`${episode}/${k}`);
        }
      expect(recording.problems.join()).toMatch(/damaged at about byte \d+: .*CRC.*bytes are left out/);
      // The statistics at the end of the file say how many there were.
      expect(recording.problems.join()).toMatch(/\d+ of its \d+ messages can be read/);
      expect(recording.uncertain).toBe([0, 1].some((episode) => content.has(`end ${episode}`)) ? 1 : 0);
      // Only the end of an episode is terminal.
      for (const { terminated, observations, length } of episodes)
        if (terminated) expect(stateOf(observations)[2 * length]).toBe(LENGTH);
    }
  });

  it.each([
    ['its kind', (bytes: Buffer, { at }: Frame) => (bytes[at] = 0x15)],
    ['its length, which becomes huge', (bytes: Buffer, { at }: Frame) => (bytes[at + 7] = 0x40)],
    ['its length, which becomes smaller', (bytes: Buffer, { at }: Frame) => (bytes[at + 1]! ^= 0x10)],
    ['the length of an index behind it', (bytes: Buffer, { end }: Frame) => (bytes[end + 1]! ^= 0x04)],
  ])('is passed over also where the damage is in %s', async (_, damage) => {
    const chunk = chunksOf(sound)[4]!;
    const bytes = Buffer.from(sound);
    damage(bytes, chunk);
    const { episodes, recording } = await read(bytes);
    expectTrue(episodes);
    expect(stepsOf(episodes).size).toBeGreaterThan(3 * LENGTH - 5);
    expect(recording.problems.join()).toMatch(/damaged at about byte \d+/);
  });

  it('that held the mark of a discarded episode does not make it a demonstration', async () => {
    const path = join(folder, 'discarded');
    const writer = await RecordingWriter.create(path, { spec: toy, session: 's', chunkBytes: 500 });
    writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0 });
    for (let k = 0; k <= LENGTH; k++) {
      writeState(writer, stampAt(0, k), 0, k);
      writeCommand(writer, stampAt(0, k), 0, k);
    }
    writer.discardEpisode({ stampNs: stampAt(0, LENGTH), reason: 'bad' });
    writeEpisode(writer, 1, LENGTH);
    await writer.close();
    const bytes = readFileSync(join(path, 'discarded_0.mcap'));
    const holder = chunksOf(bytes).find((chunk) => contentOf(bytes, chunk, new Map()).has('discard 0'))!;
    bytes[holder.end - 20]! ^= 1;
    const { episodes, recording } = await read(bytes);
    expect(new Set([...stepsOf(episodes)].map((step) => step[0]))).toEqual(new Set(['1']));
    expect(recording.uncertain).toBe(1);
  });

  it('that held the mark of an episode discarded after its end does not make it a demonstration', async () => {
    const path = join(folder, 'discarded-later');
    const writer = await RecordingWriter.create(path, { spec: toy, session: 's', chunkBytes: 500 });
    writeEpisode(writer, 0, LENGTH);
    const marks = { terminated: false, truncated: false, success: 0, seed: -1n, reason: 'bad' };
    const stampNs = stampAt(0, LENGTH + 1);
    const event = { header: header(stampNs), kind: 2, episode: 0, ...marks };
    writer.write('/episode_events', 'iq_learn/msg/EpisodeEvent', event, stampNs);
    writeEpisode(writer, 1, LENGTH);
    await writer.close();
    const bytes = readFileSync(join(path, 'discarded-later_0.mcap'));
    const holder = chunksOf(bytes).find((chunk) => contentOf(bytes, chunk, new Map()).has('discard 0'))!;
    bytes[holder.end - 20]! ^= 1;
    const { episodes } = await read(bytes);
    expect(new Set([...stepsOf(episodes)].map((step) => step[0]))).toEqual(new Set(['1']));
  });

  it('may have held a new goal: the old one does not go on behind it', async () => {
    const spec = parseRobotSpec(
      toyText.replace(
        'observation:',
        '  /goal: { type: geometry_msgs/msg/PoseStamped, timeout_ms: .inf, frame_id: base }\nobservation:\n  - { name: goal, topic: /goal, field: pose.position.x, unit: m, low: -10, high: 10 }',
      ),
      'toy.yaml',
    );
    const path = join(folder, 'goals');
    const writer = await RecordingWriter.create(path, { spec, session: 's', chunkBytes: 500 });
    const goal = (stampNs: bigint, x: number): void =>
      writer.write(
        '/goal',
        'geometry_msgs/msg/PoseStamped',
        {
          header: header(stampNs, 'base'),
          pose: { position: { x, y: 0, z: 0 }, orientation: { x: 0, y: 0, z: 0, w: 1 } },
        },
        stampNs,
      );
    writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0 });
    goal(stampAt(0, 0), 1);
    for (let k = 0; k <= 40; k++) {
      if (k === 20) goal(stampAt(0, k), 2);
      writeState(writer, stampAt(0, k), 0, k);
      writeCommand(writer, stampAt(0, k), 0, k);
    }
    writer.endEpisode({ stampNs: stampAt(0, 40), terminated: true, truncated: false, success: true });
    await writer.close();
    const whole = readFileSync(join(path, 'goals_0.mcap'));
    const chunks = chunksOf(whole);
    const goals = async (chunk: Frame): Promise<[number, number][]> => {
      const bytes = Buffer.from(whole);
      bytes[chunk.end - 20]! ^= 1;
      const { episodes } = await read(bytes, spec);
      return episodes.flatMap(({ observations, length }) => {
        const rows = stateOf(observations);
        return Array.from({ length: length + 1 }, (_, t): [number, number] => [rows[3 * t + 1]!, rows[3 * t]!]);
      });
    };
    const holding = (text: string): Frame => chunks.find((each) => contentOf(whole, each, new Map()).has(text))!;
    const changed = await goals(holding('goal 2'));
    expect(changed.length).toBeGreaterThan(15);
    // Which goal the robot had behind the place is not known.
    for (const [step, x] of changed) expect([step < 20, x]).toEqual([true, 1]);
    const kept = await goals(holding('state 0/30'));
    expect(kept.map(([step]) => step)).toContain(40);
    for (const [step, x] of kept) expect(x).toBe(step < 20 ? 1 : 2);
  });

  it('without an index at the end, as after a kill, costs no more; what is recovered does not reach across it', async () => {
    const dataEnd = framesOf(sound).find(({ opcode }) => opcode === 15)!;
    const bytes = Buffer.from(sound.subarray(0, dataEnd.at));
    const chunk = chunksOf(bytes).find((each) => contentOf(sound, each, new Map()).has('state 1/6'))!;
    bytes[chunk.end - 20]! ^= 1;
    const { episodes } = await read(bytes);
    expectTrue(episodes);
    const found = stepsOf(episodes);
    expect(found.size).toBeGreaterThan(3 * LENGTH - 5);
    const cut = join(folder, 'cut');
    const cutWriter = await RecordingWriter.create(cut, { spec: toy, session: 's' });
    writeEpisode(cutWriter, 0, 2);
    await cutWriter.close();
    for (const name of ['cut_0.mcap', 'metadata.yaml']) rmSync(join(cut, name));
    writeFileSync(join(cut, 'cut_0.mcap.part'), bytes);
    const recovery = await recover(cut);
    expect(recovery.problems.join()).toMatch(/damaged at about byte/);
    const recovered = await readDemonstrations([cut], toy);
    expectTrue(recovered.episodes);
    for (const step of stepsOf(recovered.episodes)) expect(found).toContain(step);
    expect(stepsOf(recovered.episodes)).toContain(`2/${LENGTH - 1}`);
  });

  it('is not all that is said: where the record is changed that ends the data and holds their checksum, too', async () => {
    const bytes = Buffer.from(sound);
    bytes[framesOf(sound).find(({ opcode }) => opcode === 15)!.at]! ^= 0x55;
    const { episodes, recording } = await read(bytes);
    expect(stepsOf(episodes).size).toBe(3 * LENGTH);
    expect(recording.problems.join()).toMatch(/the record that ends its data is missing/);
  });

  it('is not copied by convert, which could not show where something is missing', async () => {
    const path = join(folder, 'again.mcap');
    const bytes = Buffer.from(sound);
    bytes[chunksOf(sound)[3]!.end - 20]! ^= 1;
    writeFileSync(path, bytes);
    expect(await rejection(writeRecording([path], join(folder, 'copy')))).toMatchObject({ code: 'CORRUPT_DATA' });
  });
});

describe('an episode', () => {
  it('is written in chunks of a second, however fast it is recorded', async () => {
    const path = join(folder, 'long');
    const writer = await RecordingWriter.create(path, { spec: toy, session: 's' });
    writeEpisode(writer, 0, 200);
    await writer.close();
    // Ten seconds of recording.
    expect(chunksOf(readFileSync(join(path, 'long_0.mcap'))).length).toBeGreaterThanOrEqual(10);
  });
});
