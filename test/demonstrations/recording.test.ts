import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { IqLearnError } from '#src/common/index.js';
import {
  openRecording,
  type RecordingFile,
  RecordingWriter,
  readDemonstrations,
  recover,
} from '#src/demonstrations/index.js';
import { emptyMessage, messageTypeNames, schemaOf } from '#src/messages/index.js';
import { robotSpecHash } from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import {
  baseNs,
  expectTrue,
  joints,
  periodNs,
  rejection,
  stampAt,
  stateTopic,
  teleopTopic,
  temporaryFolder,
  toy,
  writeCommand,
  writeEpisode,
  writeState,
} from './toy.js';

const options = { spec: toy, session: 's1', software: 'iq_learn test' };

describe('recording', () => {
  it('reads back what was written, byte for byte, in order', async () => {
    const folder = join(temporaryFolder(), 'demo');
    const writer = await RecordingWriter.create(folder, options);
    writeEpisode(writer, 0, 30);
    expect(readdirSync(folder).sort()).toEqual(['.lock', 'demo_0.mcap.part']);
    const summary = await writer.close();
    expect(summary).toMatchObject({ messages: 63, episodes: 1, discarded: 0, partial: false, lost: 0 });
    expect(readdirSync(folder).sort()).toEqual(['demo_0.mcap', 'metadata.yaml']);

    const reader = await openRecording(folder);
    expect(reader.problems).toEqual([]);
    expect(reader.info).toMatchObject({ robot: 'toy', session: 's1', software: 'iq_learn test' });
    expect(reader.info?.robotSpecSha256).toBe(robotSpecHash(toy));
    expect(parse(reader.info!.robotSpec)).toEqual(toy);
    expect([...reader.topics.values()].map(({ topic, messages }) => [topic, messages])).toEqual([
      ['/episode_events', 2],
      [stateTopic, 31],
      [teleopTopic, 30],
    ]);
    const states = [];
    for await (const message of reader.messages({ topics: [stateTopic] }))
      states.push(reader.decode('sensor_msgs/msg/JointState', message));
    expect(states).toEqual(Array.from({ length: 31 }, (_, k) => joints(stampAt(0, k), 0, k)));
  });

  it('writes metadata.yaml as rosbag2 does', async () => {
    const folder = join(temporaryFolder(), 'demo');
    const writer = await RecordingWriter.create(folder, options);
    writeEpisode(writer, 0, 3);
    await writer.close();
    const { rosbag2_bagfile_information: bag } = parse(readFileSync(join(folder, 'metadata.yaml'), 'utf8'), {
      intAsBigInt: true,
    });
    const times = {
      starting_time: { nanoseconds_since_epoch: baseNs },
      duration: { nanoseconds: 3n * periodNs },
      message_count: 9n,
    };
    expect(bag).toMatchObject({
      version: 5n,
      storage_identifier: 'mcap',
      ...times,
      compression_format: '',
      compression_mode: '',
      relative_file_paths: ['demo_0.mcap'],
      files: [{ path: 'demo_0.mcap', ...times }],
    });
    const states = bag.topics_with_message_count.find(
      (t: { topic_metadata: { name: string } }) => t.topic_metadata.name === stateTopic,
    );
    expect(states).toMatchObject({
      message_count: 4n,
      topic_metadata: { type: 'sensor_msgs/msg/JointState', serialization_format: 'cdr' },
    });
    // a text within the text, as rosbag2 versions before 9 have it
    expect(parse(states.topic_metadata.offered_qos_profiles)[0]).toMatchObject({ reliability: 1, durability: 2 });
  });

  it('records every message type with its definition', async () => {
    const folder = join(temporaryFolder(), 'all');
    const writer = await RecordingWriter.create(folder, options);
    messageTypeNames.forEach((type, i) => {
      writer.write(`/t${i}`, type, emptyMessage(type), BigInt(i));
    });
    await writer.close();
    const reader = await openRecording(folder);
    let i = 0;
    for await (const message of reader.messages()) {
      const type = messageTypeNames[i++]!;
      expect(reader.topics.get(message.topic)).toMatchObject({ type, unreadable: null });
      expect(reader.decode(type, message)).toEqual(emptyMessage(type));
    }
    expect(i).toBe(messageTypeNames.length);
    expect(readFileSync(join(folder, 'all_0.mcap'), 'utf8')).toContain(schemaOf('iq_learn/msg/Transition'));
  });

  it('closes an open episode as truncated', async () => {
    const folder = join(temporaryFolder(), 'open');
    const writer = await RecordingWriter.create(folder, options);
    writer.startEpisode({ stampNs: stampAt(0, 0), episode: 0 });
    for (let k = 0; k < 10; k++) {
      writeState(writer, stampAt(0, k), 0, k);
      writeCommand(writer, stampAt(0, k), 0, k);
    }
    await writer.close();
    const { episodes } = await readDemonstrations([folder], toy);
    expect(episodes).toMatchObject([{ length: 9, terminated: false, truncated: true, success: null, seed: null }]);
    expectTrue(episodes);
  });

  it('keeps discarded episodes in the file and out of the demonstrations', async () => {
    const folder = join(temporaryFolder(), 'discard');
    const writer = await RecordingWriter.create(folder, options);
    writeEpisode(writer, 0, 5);
    writer.startEpisode({ stampNs: stampAt(1, 0), episode: 1 });
    for (let k = 0; k < 5; k++) {
      writeState(writer, stampAt(1, k), 1, k);
      writeCommand(writer, stampAt(1, k), 1, k);
    }
    writer.discardEpisode({ stampNs: stampAt(1, 4), reason: 'hit the table' });
    writeEpisode(writer, 2, 5);
    expect(await writer.close()).toMatchObject({ episodes: 3, discarded: 1 });
    const { episodes, report } = await readDemonstrations([folder], toy);
    expect(episodes.map(({ observations }) => stateOf(observations)[1])).toEqual([0, 2]);
    expect(report.recordings[0]).toMatchObject({ discarded: 1, splits: 0, clockJumps: 0 });
  });

  it('refuses what cannot be recorded and goes on', async () => {
    const folder = join(temporaryFolder(), 'bad');
    const writer = await RecordingWriter.create(folder, options);
    writeState(writer, 1n, 0, 0);
    const state = joints(1n, 0, 0);
    expect(() => writer.write('joint_states', 'sensor_msgs/msg/JointState', state, 1n)).toThrow(/name of a topic/);
    expect(() => writer.write(stateTopic, 'std_msgs/msg/Bool', { data: true }, 1n)).toThrow(/another type/);
    expect(() => writer.write('/x', 'std_msgs/msg/Bool', { data: 1 as never }, 1n)).toThrow(/data = 1/);
    expect(() => writer.write(stateTopic, 'sensor_msgs/msg/JointState', state, -1n)).toThrow(/before 1970/);
    expect(() => writer.endEpisode({ stampNs: 1n, terminated: true, truncated: false })).toThrow(/no episode is open/);
    expect(await rejection(RecordingWriter.create(folder, options))).toMatchObject({ code: 'CONFLICT' });
    expect(await rejection(recover(folder))).toMatchObject({ code: 'CONFLICT' });
    expect(await writer.close()).toMatchObject({ messages: 1, partial: false });
    expect(await writer.close()).toMatchObject({ messages: 1 });
    expect(() => writeState(writer, 1n, 0, 0)).toThrow(/closed/);
    expect(await rejection(RecordingWriter.create(folder, options))).toMatchObject({ code: 'CONFLICT' });
  });

  it('names the folder that cannot be written', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(await rejection(RecordingWriter.create(join(file, 'demo'), options))).toMatchObject({
      code: 'IO',
      message: expect.stringContaining(join(file, 'demo')),
    });
  });
});

/** A disk with room for `limit` bytes. */
function fullAfter(limit: number, create: (path: string) => Promise<RecordingFile>) {
  return async (path: string): Promise<RecordingFile> => {
    const file = await create(path);
    return {
      position: () => file.position(),
      sync: () => file.sync(),
      close: () => file.close(),
      write: async (bytes) => {
        const room = limit - Number(file.position());
        if (bytes.length <= room) return await file.write(bytes);
        await file.write(bytes.subarray(0, Math.max(0, room))); // a part arrives, as on a real disk
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      },
    };
  };
}

describe('fault F24: a disk that fills up', () => {
  it.each([8_000, 9_000, 14_000, 15_500, 17_000, 20_000])(
    'after %i bytes: one error, closed episodes kept, the rest marked as cut',
    async (limit) => {
      const folder = join(temporaryFolder(), 'full');
      const { createOutput } = await import('../../dist/src/platform/index.js');
      const errors: IqLearnError[] = [];
      const writer = await RecordingWriter.create(folder, {
        ...options,
        chunkBytes: 2048,
        createFile: fullAfter(limit, createOutput),
        onError: (error) => errors.push(error),
      });
      for (let episode = 0; episode < 3; episode++) {
        try {
          writeEpisode(writer, episode, 20);
        } finally {
          await writer.idle();
        }
      }
      const summary = await writer.close();
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ code: 'IO', found: expect.stringContaining('ENOSPC') });
      expect(summary).toMatchObject({ partial: true, file: join(folder, 'full_0.mcap') });
      expect(summary.messages + summary.lost).toBe(3 * 43);
      expect(existsSync(join(folder, '.lock'))).toBe(false);

      const reader = await openRecording(folder);
      expect(reader.problems).toEqual([]);
      const { episodes } = await readDemonstrations([folder], toy);
      expectTrue(episodes);
      for (const { length, terminated } of episodes) expect(terminated).toBe(length === 20);
      expect(episodes.filter(({ truncated }) => truncated).length).toBeLessThanOrEqual(1);
      // all but the messages of the last chunk, of at most 2048 bytes, are there
      const written = episodes.reduce((sum, { length }) => sum + length, 0);
      expect(written).toBeGreaterThan(((limit - 8000) / 20_000) * 60);
    },
  );

  it('a disk too slow ends the recording instead of filling the memory', async () => {
    const errors: IqLearnError[] = [];
    const writer = await RecordingWriter.create(join(temporaryFolder(), 'slow'), {
      ...options,
      maxPendingBytes: 1000,
      onError: (error) => errors.push(error),
    });
    writeEpisode(writer, 0, 100); // all within one turn of the event loop: nothing can reach the disk
    expect(errors).toMatchObject([{ code: 'IO', message: expect.stringContaining('too slow') }]);
    expect(writer.lost).toBeGreaterThan(0);
    expect((await writer.close()).partial).toBe(true);
  });
});
