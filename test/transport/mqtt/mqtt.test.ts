import { randomUUID } from 'node:crypto';
import mqtt from 'mqtt';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { IqLearnError } from '#src/common/index.js';
import { type MessageTypes, protobuf } from '#src/messages/index.js';
import { type MqttConnection, type MqttOptions, MqttTransport, openMqtt, qos } from '#src/transport/index.js';
import { backoffMs } from '#src/transport/mqtt/backoff.js';
import { Opener } from '#src/transport/mqtt/envelope.js';
import {
  describeWithMosquitto,
  startAedes,
  startMosquitto,
  startProxy,
  type TestBroker,
} from '../../support/brokers.js';

const Bool = 'std_msgs/msg/Bool';
const Text = 'std_msgs/msg/String';
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 10 });

let closes: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
});

async function connect(broker: string, more: Partial<MqttOptions> = {}) {
  const errors: IqLearnError[] = [];
  const connection: MqttConnection = await openMqtt({
    broker,
    fleet: 'fleet',
    clientId: randomUUID(),
    plaintext: true,
    longestWaitMs: 300,
    onError: (error) => errors.push(error),
    ...more,
  });
  closes.push(() => connection.end());
  const transport = new MqttTransport(connection, 'robot');
  closes.push(() => transport.close());
  return { connection, transport, errors };
}

async function brokerOf(start: () => Promise<TestBroker>): Promise<TestBroker> {
  const broker = await start();
  closes.push(() => broker.stop());
  return broker;
}

describe('fault F23: what is not safe is refused before anything is sent', () => {
  const credentials = { authority: '', certificate: '', key: '' };
  test.each([
    ['mqtt://gpu-host:1883', { plaintext: true, credentials }, /a broker without TLS is refused.*gpu-host/],
    ['mqtt://127.0.0.1:1883', { plaintext: false }, /plaintext asked for explicitly/],
    ['mqtts://gpu-host:8883', {}, /needs credentials/],
    ['ws://127.0.0.1:1883', { plaintext: true }, /not the URL of a broker/],
    ['gpu-host', { plaintext: true }, /not the URL of a broker/],
  ])('%s', async (broker, more, message) => {
    await expect(openMqtt({ broker, fleet: 'fleet', clientId: 'a', ...more })).rejects.toThrow(message);
  });

  test('names that would be other topics', async () => {
    for (const name of ['', 'a/b', '+', '#', '$SYS', 'ünï', 'a'.repeat(65)])
      await expect(
        openMqtt({ broker: 'mqtt://127.0.0.1:1', fleet: name, clientId: 'a', plaintext: true }),
      ).rejects.toThrow(/not the name of a fleet/);
  });
});

test('fault F18: waits between attempts grow, have a limit, and differ by chance', () => {
  expect([0, 1, 2, 3, 99].map((failures) => backoffMs(failures, 1, 5000))).toEqual([250, 500, 1000, 2000, 5000]);
  expect([0, 0.5, 1].map((random) => backoffMs(2, random, 5000))).toEqual([500, 750, 1000]);
});

describe('a broker without MQTT 5', () => {
  test('is used with MQTT 3.1.1, and what is lost is said once', async () => {
    const broker = await brokerOf(startAedes);
    const { connection, errors } = await connect(broker.url);
    await connection.connected(10_000);
    expect(connection.state).toMatchObject({ connected: true, protocol: '3.1.1', connections: 1 });
    expect(errors).toMatchObject([{ code: 'UNSUPPORTED', message: expect.stringMatching(/no MQTT 5.*too old/) }]);
  });
});

describeWithMosquitto('what arrives on a topic', () => {
  const envelope = (more: Partial<MessageTypes['iq_learn_link/msg/Envelope']> = {}): Buffer =>
    Buffer.from(
      protobuf.encode('iq_learn_link/msg/Envelope', {
        robot: 'robot',
        sender: 'someone',
        sequence: 0n,
        sent_ns: BigInt(Date.now()) * 1_000_000n,
        lifetime_ms: 0,
        type: Text,
        payload: protobuf.encode(Text, { data: 'hello' }),
        ...more,
      }),
    );

  async function receiver() {
    const broker = await brokerOf(() => startMosquitto());
    const limits = (topic: string) => ({ maxBytes: topic === '/text' ? 2000 : 1e6, lifetimeMs: 0 });
    const given = await connect(broker.url, { limits });
    const got: string[] = [];
    const unheard: string[] = [];
    const tell = ({ found }: IqLearnError): void => void unheard.push(found ?? '');
    given.transport.subscribe('/text', Text, ({ data }) => got.push(data), undefined, { waits: true, tell });
    const raw = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    closes.push(() => raw.endAsync());
    await until(() => expect(given.connection.isSubscribed).toBe(true));
    const send = (bytes: Buffer) => raw.publishAsync('iq_learn/fleet/robot/text', bytes, { qos: 1 });
    /** Resolves when all that was sent has arrived. */
    const arrived = async () => {
      await send(envelope({ sender: randomUUID(), payload: protobuf.encode(Text, { data: 'end' }) }));
      await until(() => expect(got.at(-1)).toBe('end'));
    };
    return { ...given, send, got, unheard, arrived, broker, raw };
  }

  test('is taken from any client that seals it as we do, once', async () => {
    const { send, got, arrived, transport, connection } = await receiver();
    for (const sequence of [0n, 0n, 1n, 1n, 0n]) await send(envelope({ sequence }));
    await arrived();
    expect(got).toEqual(['hello', 'hello', 'end']);
    expect(transport.counters).toMatchObject({ duplicate: 3 });
    expect(connection.state.protocol).toBe('5');
  });

  test('is refused and counted where it is of another robot or type, too large, too old, or no message', async () => {
    const { send, got, unheard, arrived, transport, errors } = await receiver();
    const now = BigInt(Date.now()) * 1_000_000n;
    await send(envelope({ robot: 'rover-2' }));
    await send(envelope({ type: Bool, payload: protobuf.encode(Bool, { data: true }) }));
    await send(envelope({ payload: protobuf.encode(Text, { data: 'x'.repeat(3000) }) }));
    await send(Buffer.from('0affffffff07', 'hex'));
    await send(Buffer.alloc(1500, 0x7b));
    await send(envelope({ sequence: 1n, lifetime_ms: 100 }));
    await send(envelope({ sequence: 2n, lifetime_ms: 100, sent_ns: now - 10_000_000_000n }));
    await arrived();
    expect(got).toEqual(['hello', 'end']);
    expect(transport.counters).toEqual({
      too_large: 1,
      undecodable: 2,
      other_robot: 1,
      other_type: 1,
      duplicate: 0,
      expired: 1,
      dropped: 0,
    });
    // The subscriber is told of each, too: what arrives late is the network's and not the publisher's.
    expect(unheard.slice(0, 3)).toEqual([
      "robot 'rover-2'",
      "type 'std_msgs/msg/Bool'",
      expect.stringMatching(/bytes$/),
    ]);
    expect(unheard).toHaveLength(5);
    expect(errors[0]!.message).toMatch(/a message on \/text is refused; found: robot 'rover-2'; expected: 'robot'/);
  });

  test('may be random bytes: it is counted, and the next message comes through', async () => {
    const { send, arrived, transport, raw, errors } = await receiver();
    for (const bytes of garbage(envelope(), 5000)) raw.publish('iq_learn/fleet/robot/text', bytes, { qos: 0 });
    await send(envelope({ sender: 'another' }));
    await arrived();
    const { dropped: _, ...refused } = transport.counters;
    expect(Object.values(refused).reduce((a, b) => a + b)).toBeGreaterThan(2500);
    expect(errors.every(({ code }) => code === 'CORRUPT_DATA' || code === 'MISMATCH')).toBe(true);
  });

  test('may be random bytes, of any kind, and each is counted once', () => {
    const counts = new Map<string, number>();
    const limits = { maxBytes: 2000, lifetimeMs: 0 };
    const opener = new Opener('robot', Text, limits, (reason) => {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    });
    let taken = 0;
    for (const bytes of garbage(envelope({ sequence: 1n << 40n }), 100_000))
      if (opener.open('/text', bytes) !== undefined) taken += 1;
    expect(counts.get('undecodable')).toBeGreaterThan(50_000);
    expect([...counts.values()].reduce((a, b) => a + b) + taken).toBe(100_000);
  }, 120_000);
});

/** Half of them random bytes, half of them a valid message with one byte changed; never empty. */
function* garbage(valid: Uint8Array, count: number): Generator<Buffer> {
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed >>> 8;
  };
  for (let i = 0; i < count; i++) {
    const bytes = i % 2 === 0 ? Buffer.from(valid) : Buffer.alloc(1 + (random() % 100));
    if (i % 2 === 0) bytes[random() % bytes.length] = random();
    else for (let j = 0; j < bytes.length; j++) bytes[j] = random();
    yield bytes;
  }
}

describeWithMosquitto('a broker that is restarted and forgets everything', () => {
  test('is connected to again; subscriptions, retained messages and what waits are there again', async () => {
    const broker = await brokerOf(() => startMosquitto());
    const [from, to] = [await connect(broker.url), await connect(broker.url)];
    const got: string[] = [];
    const latched = from.transport.advertise('/latched', Text, qos.latched);
    const events = from.transport.advertise('/events', Text, { ...qos.event, depth: 3 });
    const sensor = from.transport.advertise('/sensor', Text, qos.sensor);
    to.transport.subscribe('/events', Text, ({ data }) => got.push(data));
    to.transport.subscribe('/sensor', Text, ({ data }) => got.push(data));
    latched.publish({ data: 'kept' });
    await until(() => expect(to.connection.isSubscribed).toBe(true));
    events.publish({ data: 'before' });
    await until(() => expect(got).toEqual(['before']));
    await broker.stop();
    await until(() => expect(from.connection.state).toMatchObject({ connected: false }));
    for (const i of [1, 2, 3, 4, 5]) events.publish({ data: `event ${i}` });
    sensor.publish({ data: 'stale' });
    await broker.start();
    // Whoever connects first: what is published before the other has subscribed again is lost, as on any broker.
    await until(() => expect(to.connection.isSubscribed).toBe(true));
    await until(() => expect(from.connection.state.connections).toBe(2));
    events.publish({ data: 'after' });
    await until(() => expect(got.at(-1)).toBe('after'));
    expect(got).not.toContain('event 2');
    expect(got).not.toContain('stale');
    expect(from.transport.counters.dropped).toBe(3);
    const late = await connect(broker.url);
    const kept: string[] = [];
    late.transport.subscribe('/latched', Text, ({ data }) => kept.push(data), qos.latched);
    await until(() => expect(kept).toEqual(['kept']));
  });
});

describeWithMosquitto('presence', () => {
  test('is retained: ONLINE, OFFLINE at the end, CONNECTIONBROKEN where a client goes silent', async () => {
    const broker = await brokerOf(() => startMosquitto());
    const proxy = await startProxy(broker.port);
    closes.push(() => proxy.close());
    const watcher = await connect(broker.url);
    const states: string[] = [];
    watcher.transport.subscribe('/presence', 'iq_learn_link/msg/Presence', ({ state }) => states.push(state));
    await until(() => expect(watcher.connection.isSubscribed).toBe(true));
    const robot = await connect(proxy.url, { presence: 'robot' });
    await until(() => expect(states).toEqual(['ONLINE']));
    proxy.trouble.closed = true;
    proxy.cut();
    await until(() => expect(states).toEqual(['ONLINE', 'CONNECTIONBROKEN']));
    proxy.trouble.closed = false;
    await until(() => expect(states).toEqual(['ONLINE', 'CONNECTIONBROKEN', 'ONLINE']));
    await robot.connection.end();
    await until(() => expect(states.at(-1)).toBe('OFFLINE'));
    const late = await connect(broker.url);
    const kept: string[] = [];
    late.transport.subscribe('/presence', 'iq_learn_link/msg/Presence', ({ state }) => kept.push(state));
    await until(() => expect(kept).toEqual(['OFFLINE']));
  });

  test('two clients with one name do not end each other again and again, and it is said', async () => {
    const broker = await brokerOf(() => startMosquitto());
    const first = await connect(broker.url, { clientId: 'rover-1', longestWaitMs: 60_000 });
    await first.connection.connected(10_000);
    await connect(broker.url, { clientId: 'rover-1', longestWaitMs: 60_000 });
    await until(() => expect(first.errors.map(({ code }) => code)).toEqual(['CONFLICT']));
    expect(first.errors[0]!.message).toMatch(/one client with the name rover-1/);
    // The waits have grown by now: 250, 500, 1000, 2000 ms.
    const { connections } = first.connection.state;
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(first.connection.state.connections).toBe(connections);
  });

  test('what was on its way when a connection ended is sent again, however often, as much as may be in flight', async () => {
    const broker = await brokerOf(() => startMosquitto());
    const proxy = await startProxy(broker.port);
    closes.push(() => proxy.close());
    const [from, to] = [await connect(proxy.url, { longestWaitMs: 200 }), await connect(broker.url)];
    const got = new Set<string>();
    to.transport.subscribe('/events', Text, ({ data }) => got.add(data), qos.event);
    const events = from.transport.advertise('/events', Text, { ...qos.event, depth: 200 });
    await from.connection.connected(10_000);
    await until(() => expect(to.connection.isSubscribed).toBe(true));
    for (let round = 1; round <= 3; round++) {
      proxy.trouble.frozen = true;
      for (let i = 0; i < 70; i++) events.publish({ data: `${round} ${i}` });
      await new Promise((resolve) => setTimeout(resolve, 100));
      proxy.cut();
      proxy.trouble.frozen = false;
      await until(() => expect(got.size).toBe(70 * round));
    }
    expect(from.transport.counters.dropped).toBe(0);
  });

  test('a connection that is half open is noticed by its silence', async () => {
    const broker = await brokerOf(() => startMosquitto());
    const proxy = await startProxy(broker.port);
    closes.push(() => proxy.close());
    const { connection } = await connect(proxy.url);
    await connection.connected(10_000);
    proxy.trouble.frozen = true;
    await until(() => expect(connection.state.connected).toBe(false));
    proxy.trouble.frozen = false;
    await until(() => expect(connection.state).toMatchObject({ connected: true, connections: 2 }));
  });
});
