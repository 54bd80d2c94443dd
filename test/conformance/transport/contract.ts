import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { IqLearnError } from '#src/common/index.js';
import { emptyMessage } from '#src/messages/index.js';
import { qos, type Transport } from '#src/transport/index.js';

/** What an adapter shows of itself to be tested. */
export interface TransportHarness {
  /** Another transport, connected with all others of the harness. */
  connect(): Transport | Promise<Transport>;
  /** Resolves when everything advertised, subscribed and served so far has found each other. */
  ready(): Promise<void>;
  /** What the transports reported. */
  readonly errors: readonly IqLearnError[];
  close(): Promise<void>;
}

const Odometry = 'nav_msgs/msg/Odometry';
const Float64s = 'std_msgs/msg/Float64MultiArray';
const Trigger = 'std_srvs/srv/Trigger';

const number = (value: number) => ({ layout: { dim: [], data_offset: 0 }, data: Float64Array.of(value) });
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 5 });

/**
 * The guarantees of the port `Transport`, which every adapter must give. Where an adapter says by its capabilities that
 * it lacks one, the test asserts what it does instead.
 */
export function transportContract(name: string, factory: () => Promise<TransportHarness>): void {
  describe(`transport contract: ${name}`, () => {
    let harness: TransportHarness;
    afterEach(() => harness.close());

    const pair = async (): Promise<[Transport, Transport]> => {
      harness = await factory();
      return [await harness.connect(), await harness.connect()];
    };
    /** Publishes from one to the other and collects what arrives. */
    const numbers = async (quality: (typeof qos)[keyof typeof qos] = qos.event) => {
      const [from, to] = await pair();
      const received: number[] = [];
      const publisher = from.advertise('/numbers', Float64s, quality);
      const subscription = to.subscribe('/numbers', Float64s, ({ data }) => received.push(data[0]!), quality);
      await harness.ready();
      return { from, to, publisher, subscription, received };
    };

    test('a message arrives as it was sent, on its topic, with a time of the steady clock', async () => {
      const [from, to] = await pair();
      const message = emptyMessage(Odometry);
      message.header = { stamp: { sec: 12, nanosec: 345 }, frame_id: 'odom' };
      message.twist.twist.linear.x = 0.5;
      message.pose.covariance = Float64Array.from({ length: 36 }, (_, i) => i);
      const got: unknown[] = [];
      const publisher = from.advertise('/odom', Odometry, qos.event);
      to.subscribe(
        '/odom',
        Odometry,
        (received, info) => got.push(received, info.topic, typeof info.receivedNs),
        qos.event,
      );
      await harness.ready();
      publisher.publish(message);
      await until(() => expect(got).toHaveLength(3));
      expect(got).toEqual([message, '/odom', 'bigint']);
    });

    test('a handler never runs inside publish', async () => {
      const { publisher, received } = await numbers();
      publisher.publish(number(1));
      expect(received).toEqual([]);
      await until(() => expect(received).toEqual([1]));
    });

    test('messages of one publisher keep their order', async () => {
      const { publisher, received } = await numbers();
      const sent = Array.from({ length: 90 }, (_, i) => i);
      for (const i of sent) publisher.publish(number(i));
      await until(() => expect(received).toHaveLength(90));
      expect(received).toEqual(sent);
    });

    test('every subscriber gets every message, also one in the same transport', async () => {
      const [from, to] = await pair();
      const got: string[] = [];
      const publisher = from.advertise('/numbers', Float64s, qos.event);
      from.subscribe('/numbers', Float64s, () => got.push('own'), qos.event);
      to.subscribe('/numbers', Float64s, () => got.push('a'), qos.event);
      to.subscribe('/numbers', Float64s, () => got.push('b'), qos.event);
      await harness.ready();
      publisher.publish(number(1));
      await until(() => expect(got.toSorted()).toEqual(['a', 'b', 'own']));
    });

    test('a late subscriber gets the last message of a transient_local topic, and none of a volatile one', async () => {
      const [from, to] = await pair();
      const latched = from.advertise('/latched', Float64s, qos.latched);
      const volatile = from.advertise('/volatile', Float64s, qos.event);
      for (const i of [1, 2, 3]) {
        latched.publish(number(i));
        volatile.publish(number(i));
      }
      await harness.ready();
      const got: (string | number)[] = [];
      to.subscribe('/latched', Float64s, ({ data }) => got.push(data[0]!), qos.latched);
      to.subscribe('/volatile', Float64s, () => got.push('volatile'), qos.event);
      to.subscribe('/latched', Float64s, () => got.push('volatile on latched'), qos.event);
      await until(() => expect(got).toContain(3));
      await harness.ready();
      expect(got).toEqual([3]);
      latched.publish(number(4));
      await until(() => expect(got).toContain(4));
    });

    test('a late subscriber gets as many messages as the transport can keep; an offer of more is refused', async () => {
      const [from, to] = await pair();
      const { latchedDepth } = from.capabilities;
      const three = { ...qos.latched, depth: 3 };
      if (latchedDepth < 3) {
        expect(() => from.advertise('/latched', Float64s, three)).toThrow(
          expect.objectContaining({ code: 'UNSUPPORTED' }),
        );
        return;
      }
      const publisher = from.advertise('/latched', Float64s, three);
      for (const i of [1, 2, 3, 4, 5]) publisher.publish(number(i));
      await harness.ready();
      const got: number[] = [];
      to.subscribe('/latched', Float64s, ({ data }) => got.push(data[0]!), three);
      await until(() => expect(got).toEqual([3, 4, 5]));
    });

    test('a subscriber that requests more than is offered gets nothing, and that is reported', async () => {
      const [from, to] = await pair();
      let got = 0;
      const publisher = from.advertise('/numbers', Float64s, qos.sensor);
      to.subscribe('/numbers', Float64s, () => got++, qos.event);
      if (!from.capabilities.matchesQos) {
        await harness.ready();
        publisher.publish(number(1));
        await until(() => expect(got).toBe(1));
        return;
      }
      await until(() => expect(harness.errors.map(({ code }) => code)).toContain('MISMATCH'));
      publisher.publish(number(1));
      await harness.ready();
      expect(got).toBe(0);
      expect(harness.errors[0]?.message).toContain('/numbers');
    });

    test('a subscriber without a quality of service takes what is offered', async () => {
      const [from, to] = await pair();
      const got: string[] = [];
      const sensor = from.advertise('/sensor', Float64s, qos.sensor);
      const latched = from.advertise('/latched', Float64s, qos.latched);
      latched.publish(number(1));
      await harness.ready();
      to.subscribe('/sensor', Float64s, () => got.push('sensor'));
      to.subscribe('/latched', Float64s, () => got.push('latched'));
      await harness.ready();
      sensor.publish(number(1));
      await until(() => expect(got.toSorted()).toEqual(['latched', 'sensor']));
      expect(harness.errors).toEqual([]);
    });

    test('a subscriber that requests the best reliability available hears publishers of either kind', async () => {
      const [from, to] = await pair();
      const got: string[] = [];
      const best = { ...qos.event, reliability: 'best_available' } as const;
      for (const topic of ['/sensor', '/event']) to.subscribe(topic, Float64s, () => got.push(topic), best);
      const publishers = [
        from.advertise('/sensor', Float64s, qos.sensor),
        from.advertise('/event', Float64s, qos.event),
      ];
      await harness.ready();
      for (const publisher of publishers) publisher.publish(number(1));
      await until(() => expect(got.toSorted()).toEqual(['/event', '/sensor']));
      expect(harness.errors).toEqual([]);
    });

    test('a handler that throws or rejects hurts nobody else and is reported', async () => {
      const [from, to] = await pair();
      const got: number[] = [];
      const publisher = from.advertise('/numbers', Float64s, qos.event);
      to.subscribe(
        '/numbers',
        Float64s,
        () => {
          throw new Error('thrown by a test');
        },
        qos.event,
      );
      to.subscribe('/numbers', Float64s, async () => Promise.reject(new Error('rejected by a test')), qos.event);
      to.subscribe('/numbers', Float64s, ({ data }) => got.push(data[0]!), qos.event);
      await harness.ready();
      publisher.publish(number(1));
      publisher.publish(number(2));
      await until(() => expect(got).toEqual([1, 2]));
      await until(() => expect(harness.errors).toHaveLength(4));
      const texts = harness.errors.map(({ message }) => message).join('\n');
      expect(texts).toContain('thrown by a test');
      expect(texts).toContain('rejected by a test');
      expect(texts).toContain('/numbers');
    });

    test('after a subscription is closed nothing more arrives', async () => {
      const { publisher, subscription, received } = await numbers();
      publisher.publish(number(1));
      await until(() => expect(received).toEqual([1]));
      publisher.publish(number(2));
      subscription.close();
      publisher.publish(number(3));
      await harness.ready();
      expect(received).toEqual([1]);
    });

    test('what was published before close still reaches the others; afterwards the transport refuses', async () => {
      const { from, to, publisher, received } = await numbers();
      publisher.publish(number(1));
      await from.close();
      await until(() => expect(received).toEqual([1]));
      expect(() => publisher.publish(number(2))).toThrow(/closed/);
      expect(() => from.advertise('/numbers', Float64s)).toThrow(/closed/);
      expect(() => from.subscribe('/numbers', Float64s, () => {})).toThrow(/closed/);
      await expect(from.call('/service', Trigger, {}, { timeoutMs: 50 })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      await from.close();
      await to.close();
      expect(received).toEqual([1]);
    });

    test('a subscriber that is behind keeps the newest messages', async () => {
      const { publisher, received } = await numbers(qos.sensor);
      for (let i = 0; i < 500; i++) publisher.publish(number(i));
      await until(() => expect(received.at(-1)).toBe(499));
      expect(received.length).toBeLessThanOrEqual(500);
      expect(received).toEqual(received.toSorted((a, b) => a - b));
      expect(new Set(received).size).toBe(received.length);
    });

    test('unknown types, wrong names and depths are refused where they are written', async () => {
      const [transport] = await pair();
      const unknown = 'sensor_msgs/msg/JointStat' as 'sensor_msgs/msg/JointState';
      for (const use of [
        () => transport.advertise('/joints', unknown),
        () => transport.subscribe('/joints', unknown, () => {}),
      ])
        expect(use).toThrow(/unknown message type.*did you mean 'sensor_msgs\/msg\/JointState'/);
      for (const topic of ['joints', '/', '/a b', '/a/', '/1a', '~/a'])
        expect(() => transport.advertise(topic, Float64s), topic).toThrow(/not the name of a topic/);
      expect(() => transport.subscribe('/a', Float64s, () => {}, { ...qos.event, depth: 0 })).toThrow(/depth 0/);
      expect(() =>
        transport.serve('/s', 'std_srvs/srv/Triger' as typeof Trigger, async () => ({ success: true, message: '' })),
      ).toThrow(/did you mean 'std_srvs\/srv\/Trigger'/);
    });

    test('a topic has one type: another is refused or reported, and carries nothing', async () => {
      const [from, to] = await pair();
      let got = 0;
      from.advertise('/numbers', Float64s, qos.event);
      await harness.ready();
      let thrown = '';
      try {
        to.subscribe('/numbers', 'std_msgs/msg/Bool', () => got++, qos.event);
      } catch (error) {
        thrown = (error as Error).message;
      }
      if (!from.capabilities.matchesQos) return;
      await until(() => {
        const texts = [thrown, ...harness.errors.map(({ message }) => message)].join('\n');
        expect(texts).toMatch(/\/numbers.*type/);
      });
      expect(got).toBe(0);
    });

    test('a service answers; its errors reach the caller with their code', async () => {
      const [server, client] = await pair();
      server.serve('/echo', 'iq_learn/srv/StartEpisode', async ({ seed }) => {
        if (seed < 0n) throw new RangeError('a negative seed');
        return { success: true, message: 'started', episode: Number(seed) };
      });
      await harness.ready();
      const call = (seed: bigint) => client.call('/echo', 'iq_learn/srv/StartEpisode', { seed }, { timeoutMs: 60_000 });
      await expect(call(7n)).resolves.toEqual({ success: true, message: 'started', episode: 7 });
      await expect(call(-1n)).rejects.toMatchObject({
        code: 'INTERNAL',
        message: expect.stringContaining('a negative seed'),
      });
      await expect(Promise.all([call(1n), call(2n), call(3n)])).resolves.toMatchObject([
        { episode: 1 },
        { episode: 2 },
        { episode: 3 },
      ]);
    });

    test('a call waits for its server, and says whether there was none or it did not answer', async () => {
      const [server, client] = await pair();
      const early = client.call('/late', Trigger, {}, { timeoutMs: 60_000 });
      await turn();
      server.serve('/late', Trigger, async () => ({ success: true, message: 'here' }));
      await expect(early).resolves.toEqual({ success: true, message: 'here' });
      server.serve('/silent', Trigger, () => new Promise(() => {}));
      await harness.ready();
      await expect(client.call('/nobody', Trigger, {}, { timeoutMs: 30 })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      await expect(client.call('/silent', Trigger, {}, { timeoutMs: 30 })).rejects.toMatchObject({ code: 'TIMEOUT' });
      await expect(client.call('/silent', Trigger, {}, { timeoutMs: 0 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    });

    test('a call ends when the server goes away, or the caller closes', async () => {
      const [server, client] = await pair();
      let asked = 0;
      const serving = server.serve('/silent', Trigger, () => {
        asked += 1;
        return new Promise(() => {});
      });
      await harness.ready();
      const ask = () => {
        const answer = client.call('/silent', Trigger, {}, { timeoutMs: 60_000 });
        answer.catch(() => {});
        return answer;
      };
      const left = ask();
      await until(() => expect(asked).toBe(1));
      serving.close();
      if (client.capabilities.noticesClosedServers) await expect(left).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      const cancelled = ask();
      await client.close();
      await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    });

    test('a second server of a service is refused, and a new one is taken when the first has closed', async () => {
      const [server] = await pair();
      const answer = (message: string) => async () => ({ success: true, message });
      const first = server.serve('/one', Trigger, answer('first'));
      if (server.capabilities.refusesSecondServers)
        expect(() => server.serve('/one', Trigger, answer('second'))).toThrow(
          expect.objectContaining({ code: 'CONFLICT' }),
        );
      first.close();
      expect(() => server.serve('/one', Trigger, answer('third'))).not.toThrow();
    });

    test('says how many publish on a topic, whoever they are, where the medium knows', async () => {
      const [one, other] = await pair();
      const counts = (count: number) =>
        until(() => {
          const known = one.capabilities.knowsPublishers ? count : undefined;
          expect([one.publishersOf('/counted'), other.publishersOf('/counted')]).toEqual([known, known]);
        });
      await counts(0);
      const [first, second] = [one, other].map((each) => each.advertise('/counted', Float64s, qos.command));
      await counts(2);
      second!.close();
      await counts(1);
      first!.close();
      await counts(0);
    });

    test('nodes that answer each other for ever leave timers their turn', async () => {
      const [a, b] = await pair();
      let hops = 0;
      const ping = a.advertise('/ping', Float64s, qos.command);
      const pong = b.advertise('/pong', Float64s, qos.command);
      a.subscribe('/pong', Float64s, (message) => ping.publish(message), qos.command);
      b.subscribe(
        '/ping',
        Float64s,
        (message) => {
          hops += 1;
          pong.publish(message);
        },
        qos.command,
      );
      await harness.ready();
      ping.publish(number(0));
      for (const from of [0, 50]) await until(() => expect(hops).toBeGreaterThan(from)); // looks by timers
      await a.close();
    });
  });
}
