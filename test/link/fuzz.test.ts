import { connectAsync } from 'mqtt';
import { afterEach, expect, test, vi } from 'vitest';
import { Random } from '#src/common/index.js';
import { createSigningKeys, linkLimits, linkTopics, PolicySigner, PolicyVerifier } from '#src/link/index.js';
import { emptyMessage, type Transition } from '#src/messages/index.js';
import { LearnerGateway, RobotGateway } from '#src/nodes/index.js';
import { MqttTransport, openMqtt } from '#src/transport/index.js';
import { fuzzTopics } from '../../bench/link/fuzz.js';
import { Rig } from '../nodes/toy.js';
import { startAedes } from '../support/brokers.js';

let closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
});

test('bytes that no end has sent are refused and counted on every topic; whole messages pass now and then', () => {
  for (const seed of [1, 2]) {
    const { messages, refused, taken, recordsRefused } = fuzzTopics(15_000, seed);
    expect(refused + taken).toBe(messages);
    expect(refused).toBeGreaterThan(0.9 * messages);
    expect(taken).toBeGreaterThan(0);
    expect(recordsRefused).toBeGreaterThan(0);
  }
});

test('both ends of a link go on after random bytes on every topic, through a broker', async () => {
  const broker = await startAedes();
  closes.push(() => broker.stop());
  const keys = createSigningKeys();
  const ends = await Promise.all(
    ['rover-1', 'learner'].map(async (clientId) => {
      const connection = await openMqtt({
        broker: broker.url,
        fleet: 'fleet',
        plaintext: true,
        clientId,
        limits: linkLimits,
        onError: () => {},
      });
      closes.push(() => connection.end());
      return { connection, transport: new MqttTransport(connection, 'rover-1') };
    }),
  );
  const [robotEnd, learnerEnd] = ends as [(typeof ends)[0], (typeof ends)[0]];
  const records: { sequence: bigint; topic: string; payload: Uint8Array; class: 'state' }[] = [];
  const [robotSide, learnerSide] = [new Rig(), new Rig()];
  closes.push(
    () => robotSide.close(),
    () => learnerSide.close(),
  );
  robotSide.start(
    new RobotGateway(robotSide.context('gateway'), {
      robot: 'rover-1',
      link: robotEnd.transport,
      verifier: new PolicyVerifier('fleet', [keys.publicKey]),
      spool: {
        epoch: 1n,
        get last() {
          return BigInt(records.length);
        },
        read: (after) => ({ previous: after, records: records.slice(Number(after)) }),
        confirm: () => {},
        append: (_, topic, payload) =>
          void records.push({ sequence: BigInt(records.length + 1), topic, payload, class: 'state' }),
        figures: { waiting: 0, bytes: 0, dropped: { state: 0, demonstration: 0 } },
      },
    }),
  );
  const host = learnerSide.start(
    new LearnerGateway(learnerSide.context('gateway'), {
      robot: 'rover-1',
      link: learnerEnd.transport,
      signer: new PolicySigner('fleet', keys.privateKey),
    }),
  );
  const got = learnerSide.listen('/transitions', 'iq_learn/msg/Transition');
  await vi.waitFor(() => expect(ends.every(({ connection }) => connection.isSubscribed)).toBe(true), 30_000);

  const random = new Random(1);
  const stranger = await connectAsync(broker.url);
  closes.push(() => stranger.endAsync());
  const topics = Object.values(linkTopics).map(({ topic }) => `iq_learn/fleet/rover-1${topic}`);
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(Uint8Array.from({ length: random.integer(200) }, () => random.integer(256)));
    await stranger.publishAsync(topics[i % topics.length]!, bytes, { qos: 1 });
  }
  const transition: Transition = {
    ...emptyMessage('iq_learn/msg/Transition'),
    robot: 'trolley',
    observation: Float32Array.of(0.5, 0.5),
    action: Float32Array.of(0.25),
    next_observation: Float32Array.of(0.5, 0.5),
  };
  robotSide.say('/transitions', 'iq_learn/msg/Transition', transition);
  await vi.waitFor(() => expect(got).toEqual([transition]), 30_000);
  const { counters } = learnerEnd.transport;
  expect(counters.undecodable).toBeGreaterThan(500);
  expect(host.view).toMatchObject({ records: 1, refused: 0 });
});
