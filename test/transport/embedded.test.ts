import { describe, expect, test } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { emptyMessage } from '#src/messages/index.js';
import { EmbeddedBroker, qos } from '#src/transport/index.js';

const Float64s = 'std_msgs/msg/Float64MultiArray';
const number = (value: number) => ({ layout: { dim: [], data_offset: 0 }, data: Float64Array.of(value) });

describe('embedded transport', () => {
  test('a subscriber that is behind keeps exactly the newest depth messages, counted', async () => {
    const broker = new EmbeddedBroker();
    const transport = broker.connect();
    for (const [topic, quality] of [
      ['/sensor', qos.sensor],
      ['/command', qos.command],
    ] as const) {
      const received: number[] = [];
      const publisher = transport.advertise(topic, Float64s, quality);
      transport.subscribe(topic, Float64s, ({ data }) => received.push(data[0]!), quality);
      for (let i = 0; i < 100; i++) publisher.publish(number(i));
      await broker.idle();
      expect(received).toEqual(Array.from({ length: quality.depth }, (_, i) => 100 - quality.depth + i));
      expect(broker.counters().get(topic)).toMatchObject({
        published: 100,
        delivered: quality.depth,
        overflowed: 100 - quality.depth,
      });
    }
    await broker.close();
  });

  test('a message is told the time it was published, on the given clock', async () => {
    const clock = new ManualClock(5n);
    const broker = new EmbeddedBroker({ clock });
    const transport = broker.connect();
    const times: bigint[] = [];
    const publisher = transport.advertise('/numbers', Float64s);
    transport.subscribe('/numbers', Float64s, (_, { receivedNs }) => times.push(receivedNs));
    publisher.publish(number(1));
    clock.advanceMs(1);
    await broker.idle();
    expect(times).toEqual([5n]);
  });

  test('a frozen message cannot be changed after publish', () => {
    const broker = new EmbeddedBroker({ freeze: true });
    const transport = broker.connect();
    const publisher = transport.advertise('/joints', 'sensor_msgs/msg/JointState');
    const message = emptyMessage('sensor_msgs/msg/JointState');
    publisher.publish(message);
    expect(() => {
      message.header.frame_id = 'changed';
    }).toThrow(TypeError);
    expect(() => message.name.push('changed')).toThrow(TypeError);
  });

  test('many deliveries leave timers their turn, and none is lost', async () => {
    const broker = new EmbeddedBroker();
    const transport = broker.connect();
    let handled = 0;
    let handledAtTimer = -1;
    const deep = { ...qos.event, depth: 20_000 };
    const publisher = transport.advertise('/numbers', Float64s, deep);
    transport.subscribe('/numbers', Float64s, () => handled++, deep);
    const timer = new Promise<void>((resolve) => {
      setTimeout(() => {
        handledAtTimer = handled;
        resolve();
      }, 0);
    });
    for (let i = 0; i < 20_000; i++) publisher.publish(number(i));
    await broker.idle();
    await timer;
    expect(handled).toBe(20_000);
    expect(handledAtTimer).toBeGreaterThan(0);
    expect(handledAtTimer).toBeLessThan(20_000);
  });

  test('close resolves when what was published before has been delivered', async () => {
    const broker = new EmbeddedBroker();
    const [from, to] = [broker.connect(), broker.connect()];
    const deep = { ...qos.event, depth: 2000 };
    let handled = 0;
    to.subscribe('/numbers', Float64s, () => handled++, deep);
    const publisher = from.advertise('/numbers', Float64s, deep);
    for (let i = 0; i < 2000; i++) publisher.publish(number(i));
    await from.close();
    expect(handled).toBe(2000);
  });

  test('handlers are told in turn, not one topic after another', async () => {
    const broker = new EmbeddedBroker();
    const transport = broker.connect();
    const order: string[] = [];
    for (const topic of ['/a', '/b']) {
      const publisher = transport.advertise(topic, Float64s, qos.event);
      transport.subscribe(topic, Float64s, () => order.push(topic), qos.event);
      for (let i = 0; i < 3; i++) publisher.publish(number(i));
    }
    await broker.idle();
    expect(order).toEqual(['/a', '/b', '/a', '/b', '/a', '/b']);
  });

  test('the type of a topic may change once nobody uses it', () => {
    const broker = new EmbeddedBroker();
    const transport = broker.connect();
    const publisher = transport.advertise('/topic', Float64s);
    expect(() => transport.subscribe('/topic', 'std_msgs/msg/Bool', () => {})).toThrow(
      /\/topic has another type; found: std_msgs\/msg\/Bool; expected: std_msgs\/msg\/Float64MultiArray/,
    );
    publisher.close();
    expect(() => transport.subscribe('/topic', 'std_msgs/msg/Bool', () => {})).not.toThrow();
  });

  test('a second server of a service is refused, a later one is not', async () => {
    const broker = new EmbeddedBroker();
    const transport = broker.connect();
    const answer = async () => ({ success: true, message: '' });
    const first = transport.serve('/s', 'std_srvs/srv/Trigger', answer);
    expect(() => transport.serve('/s', 'std_srvs/srv/Trigger', answer)).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    );
    await expect(
      transport.call('/s', 'std_srvs/srv/SetBool', { data: true }, { timeoutMs: 100 }),
    ).rejects.toMatchObject({
      code: 'MISMATCH',
    });
    first.close();
    expect(() => transport.serve('/s', 'std_srvs/srv/Trigger', answer)).not.toThrow();
  });

  test('wrong fault plans and seeds are refused', () => {
    for (const rule of [
      { topics: '*', drop: 1.5 },
      { topics: '*', duplicate: Number.NaN },
      { topics: '*', delay: { probability: 1, minMs: 5, maxMs: 1 } },
    ])
      expect(() => new EmbeddedBroker({ faults: { rules: [rule] } })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    for (const seed of [Number.NaN, -1, 0.5])
      expect(() => new EmbeddedBroker({ seed })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
