import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RecordingWriter } from '#src/demonstrations/index.js';
import { emptyMessage, header, type MessageTypeName, messageTypeNames } from '#src/messages/index.js';
import { describeWithPython, runPython } from '../support/python.js';
import { baseNs, periodNs, temporaryFolder, toy, writeEpisode } from './toy.js';

/** Of the forms the Python script prints: typed arrays as lists, large or odd numbers as text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

/** A message of every type with something in every kind of field. */
function samples(): [string, MessageTypeName, object][] {
  const head = header(baseNs + 1n, 'рамка');
  const odometry = emptyMessage('nav_msgs/msg/Odometry');
  const scan = { ...emptyMessage('sensor_msgs/msg/LaserScan'), header: head, ranges: [0.5, Infinity, NaN] };
  const special: Partial<Record<MessageTypeName, object>> = {
    'sensor_msgs/msg/LaserScan': scan,
    'nav_msgs/msg/Odometry': {
      ...odometry,
      header: head,
      child_frame_id: 'base',
      twist: { ...odometry.twist, covariance: Float64Array.from({ length: 36 }, (_, i) => i / 8) },
    },
    'sensor_msgs/msg/Joy': { header: head, axes: [0.25, -1], buttons: [1, 0, -3] },
    'trajectory_msgs/msg/JointTrajectory': {
      header: head,
      joint_names: ['a', 'бе'],
      points: [1, 2].map((n) => ({
        positions: [n, -n],
        velocities: [],
        accelerations: [],
        effort: [n / 4],
        time_from_start: { sec: n, nanosec: 5 },
      })),
    },
    'diagnostic_msgs/msg/DiagnosticArray': {
      header: head,
      status: [{ level: 2, name: 'n', message: 'm', hardware_id: '', values: [{ key: 'k', value: 'v' }] }],
    },
    'iq_learn/msg/Transition': {
      ...emptyMessage('iq_learn/msg/Transition'),
      header: head,
      robot: 'rover',
      sequence: 2n ** 63n + 1n,
      policy_version: -1n,
      observation: [0.5, -0.5],
      terminated: true,
      reward: NaN,
    },
    'iq_learn/msg/PolicyBundle': {
      ...emptyMessage('iq_learn/msg/PolicyBundle'),
      model: new Uint8Array([0, 1, 255]),
      manifest: '{}',
      version: 3n,
    },
    'iq_learn/msg/LearnerStatus': {
      ...emptyMessage('iq_learn/msg/LearnerStatus'),
      names: ['train/critic_loss', ''],
      values: [0.125, 1e300],
    },
  };
  return messageTypeNames.map((type, i) => [`/topic_${i}`, type, special[type] ?? emptyMessage(type)]);
}

interface Found {
  info: { topics: Record<string, number>; start: number; duration: number; count: number };
  rosbags: [topic: string, type: string, time: number, message: unknown][];
  mcap: [topic: string, type: string, time: number, message: unknown][];
}

describeWithPython('independent readers', () => {
  it('rosbags and mcap-ros2-support find what was written, in every type', async () => {
    const folder = join(temporaryFolder(), 'every_type');
    const writer = await RecordingWriter.create(folder, { spec: toy, session: 's' });
    const written = samples().map(([topic, type, message], i) => {
      writer.write(topic, type, message as never, baseNs + BigInt(i));
      return [topic, type, Number(baseNs) + i, plain(message)];
    });
    await writer.close();
    const found = JSON.parse(await runPython('test/demonstrations/read_recording.py', folder)) as Found;
    expect(found.rosbags).toEqual(written);
    expect(found.mcap).toEqual(written);
  });

  it('metadata.yaml says the same as the file', async () => {
    const folder = join(temporaryFolder(), 'episodes');
    const writer = await RecordingWriter.create(folder, { spec: toy, session: 's', chunkBytes: 1000 });
    writeEpisode(writer, 0, 20);
    await writer.close();
    const { info, rosbags, mcap } = JSON.parse(
      await runPython('test/demonstrations/read_recording.py', folder),
    ) as Found;
    expect(info).toEqual({
      topics: { '/episode_events': 2, '/joint_states': 21, '/teleop/cmd_vel': 20 },
      start: Number(baseNs),
      duration: 20 * Number(periodNs) + 1, // rosbags counts to the nanosecond behind the last message
      count: 43,
    });
    expect(rosbags).toHaveLength(43);
    expect(mcap).toEqual(rosbags);
  });
});
