import { expect, test } from 'vitest';
import { encodeRecorded, linkTopics, type StreamBatch } from '#src/link/index.js';
import { emptyMessage, protobuf, type Transition, TransitionReader } from '#src/messages/index.js';
import { MqttTransport, openMqtt, qos } from '#src/transport/index.js';
import { Opener } from '#src/transport/mqtt/envelope.js';
import { RawMqtt, remainingLength } from '../../dist/bench/link/raw-mqtt.js';
import { BatchWriter, type Drive, sealed } from '../../dist/bench/link/robot-packets.js';
import { describeWithMosquitto, startMosquitto } from '../support/brokers.js';

const floats = (...values: number[]): Float32Array => Float32Array.from(values);
const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);
const observations = [0, 1, 2, 3, 4].map((i) => floats(...Array.from({ length: 14 }, (_, k) => Math.sin(i + k))));
const actions = [floats(0.25, -1), floats(0, 0.5), floats(-0.125, 1)];
const drive: Drive = {
  robot: 'rover',
  session: 'policy-3f1c9c1e-9b52-4a41',
  observations: observations.map(bytesOf),
  actions: actions.map(bytesOf),
  episode: 200,
  startMs: 1_795_000_000_000,
  periodMs: 50,
};

/** Transition `i` of the drive, as a policy node publishes it. */
function transition(i: number): Transition {
  const ms = drive.startMs + i * drive.periodMs;
  return {
    ...emptyMessage('iq_learn/msg/Transition'),
    header: { stamp: { sec: Math.floor(ms / 1000), nanosec: (ms % 1000) * 1_000_000 }, frame_id: '' },
    robot: drive.robot,
    session: drive.session,
    sequence: BigInt(i),
    episode: Math.floor(i / 200),
    step: i % 200,
    observation: observations[i % 5]!,
    action: actions[i % 3]!,
    next_observation: observations[(i + 1) % 5]!,
    truncated: i % 200 === 199,
    reward: Number.NaN,
  };
}

/** The same batch, by the encoder of the product. */
function batch(first: number, end: number): StreamBatch {
  const records = Array.from({ length: end - first }, (_, k) => ({
    sequence: BigInt(first + k + 1),
    topic: '/transitions',
    payload: encodeRecorded('/transitions', transition(first + k)),
  }));
  return { robot: 'robot-7', epoch: 1_795_000_000_123n, previous: BigInt(first), records };
}

const head = { name: 'robot-7', sender: 'robot-7', sequence: 300, sentNs: 1_795_000_000_456_789_012n, lifetimeMs: 0 };
const BATCH = 'iq_learn_link/msg/StreamBatch';

// From the first transition on, over the end of an episode, and where numbers need more bytes.
test.each([
  [0, 1],
  [0, 10],
  [195, 405],
  [16_380, 16_390],
  [2_097_150, 2_097_155],
  [0, 3000],
])('the simulated robot writes transitions %i to %i byte for byte as the link does', (first, end) => {
  const writer = new BatchWriter(drive);
  const envelope = sealed(head, BATCH, writer.write('robot-7', 1_795_000_000_123, first, end));
  const expected = protobuf.encode('iq_learn_link/msg/Envelope', {
    robot: head.name,
    sender: head.sender,
    sequence: BigInt(head.sequence),
    sent_ns: head.sentNs,
    lifetime_ms: 0,
    type: BATCH,
    payload: protobuf.encode(BATCH, batch(first, end)),
  });
  expect(Buffer.compare(envelope, expected)).toBe(0);
  const opened = new Opener('robot-7', BATCH, linkTopics.stream, () => {}).open('/stream', Uint8Array.from(envelope));
  const { records } = opened as StreamBatch;
  expect(records.map(({ sequence }) => Number(sequence))).toEqual(
    batch(first, end).records.map((each) => Number(each.sequence)),
  );
  const reader = new TransitionReader({ robot: 'rover', observation: 14, action: 2 });
  reader.expect(records.length);
  for (const { payload, sequence } of records) expect(reader.read(payload, Number(sequence))).toBe(true);
});

test('a status of the simulated robot has its lifetime, and sequence 0 as the link writes it', () => {
  const payload = Uint8Array.of(1, 2, 3);
  expect([...sealed({ ...head, sequence: 0, lifetimeMs: 5000 }, 'a/msg/B', payload)]).toEqual([
    ...protobuf.encode('iq_learn_link/msg/Envelope', {
      robot: head.name,
      sender: head.sender,
      sequence: 0n,
      sent_ns: head.sentNs,
      lifetime_ms: 5000,
      type: 'a/msg/B',
      payload,
    }),
  ]);
});

test.each([
  [0, [0]],
  [127, [127]],
  [128, [0x80, 1]],
  [16_384, [0x80, 0x80, 1]],
])('MQTT writes a length of %i as it should', (length, bytes) => {
  expect([...remainingLength(length)]).toEqual(bytes);
});

describeWithMosquitto('the simulated robot over mosquitto', () => {
  test('is read by the link and reads what it answers, with topics by name and by alias', async () => {
    const broker = await startMosquitto();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const connection = await openMqtt({ broker: url, fleet: 'fleet', plaintext: true, clientId: 'learner' });
    const link = new MqttTransport(connection, 'robot-7');
    const heard: string[] = [];
    const robot = await RawMqtt.open(broker.port, 'robot-7', {
      message: (topic, payload) => heard.push(`${topic} ${payload.length > 40}`),
      closed: () => {},
    });
    try {
      await connection.connected(10_000);
      const got: StreamBatch[] = [];
      link.subscribe(linkTopics.stream.topic, BATCH, (message) => got.push(message), qos.event);
      await expect.poll(() => connection.isSubscribed, { timeout: 10_000 }).toBe(true);
      await robot.subscribe('iq_learn/fleet/robot-7/stream_position', 1);
      const topic = { name: 'iq_learn/fleet/robot-7/stream', alias: 1, qos: 1 } as const;
      const writer = new BatchWriter(drive);
      for (let i = 0; i < 3; i++)
        robot.publish(
          topic,
          sealed({ ...head, sequence: i }, BATCH, writer.write('robot-7', 1_795_000_000_123, 1000 * i, 1000 * (i + 1))),
        );
      await expect.poll(() => got.length, { timeout: 10_000 }).toBe(3);
      expect(Buffer.compare(protobuf.encode(BATCH, got[2]!), protobuf.encode(BATCH, batch(2000, 3000)))).toBe(0);
      await expect.poll(() => robot.unacknowledged, { timeout: 10_000 }).toBe(0);
      const positions = link.advertise(linkTopics.position.topic, 'iq_learn_link/msg/StreamPosition', qos.latched);
      for (let i = 0; i < 2; i++)
        positions.publish({ ...emptyMessage('iq_learn_link/msg/StreamPosition'), robot: 'robot-7', received: 3000n });
      await expect.poll(() => heard, { timeout: 10_000 }).toHaveLength(2);
      expect(heard[0]).toBe('iq_learn/fleet/robot-7/stream_position true');
    } finally {
      robot.end();
      await link.close();
      await connection.end();
      await broker.stop();
    }
  });
});
