import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import type { IqLearnError } from '#src/common/index.js';
import { emptyMessage } from '#src/messages/index.js';
import { createEmbeddedBroker, createEmbeddedTransport } from '#src/transport/embedded/index.js';
import { connectEmbedded } from '#src/transport/embedded/port-client.js';
import { qos } from '#src/transport/index.js';

const Float64s = 'std_msgs/msg/Float64MultiArray';
const number = (value: number) => ({ layout: { dim: [], data_offset: 0 }, data: Float64Array.of(value) });
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 5 });

describe('embedded transport', () => {
  test('a subscriber that is behind keeps exactly the newest depth messages, counted', async () => {
    const transport = createEmbeddedTransport();
    for (const [topic, quality] of [
      ['/sensor', qos.sensor],
      ['/command', qos.command],
    ] as const) {
      const received: number[] = [];
      const publisher = transport.advertise(topic, Float64s, quality);
      transport.subscribe(topic, Float64s, ({ data }) => received.push(data[0]!), quality);
      for (let i = 0; i < 100; i++) publisher.publish(number(i));
      await transport.broker.idle();
      expect(received).toEqual(Array.from({ length: quality.depth }, (_, i) => 100 - quality.depth + i));
      expect(transport.broker.counters().get(topic)).toMatchObject({
        published: 100,
        delivered: quality.depth,
        overflowed: 100 - quality.depth,
      });
    }
    await transport.broker.close();
  });

  test('a message is told the time it was published, on the given clock', async () => {
    const clock = new ManualClock(5n);
    const transport = createEmbeddedTransport({ clock });
    const times: bigint[] = [];
    const publisher = transport.advertise('/numbers', Float64s);
    transport.subscribe('/numbers', Float64s, (_, { receivedNs }) => times.push(receivedNs));
    publisher.publish(number(1));
    clock.advanceMs(1);
    await transport.broker.idle();
    expect(times).toEqual([5n]);
  });

  test('a frozen message cannot be changed after publish', () => {
    const transport = createEmbeddedTransport({ freeze: true });
    const publisher = transport.advertise('/joints', 'sensor_msgs/msg/JointState');
    const message = emptyMessage('sensor_msgs/msg/JointState');
    publisher.publish(message);
    expect(() => {
      message.header.frame_id = 'changed';
    }).toThrow(TypeError);
    expect(() => message.name.push('changed')).toThrow(TypeError);
  });

  test('many deliveries leave timers their turn, and none is lost', async () => {
    const transport = createEmbeddedTransport();
    let handled = 0;
    let handledAtTimer = -1;
    const deep = { ...qos.event, depth: 20_000 };
    const publisher = transport.advertise('/numbers', Float64s, deep);
    transport.subscribe('/numbers', Float64s, () => handled++, deep);
    setTimeout(() => {
      handledAtTimer = handled;
    }, 0);
    for (let i = 0; i < 20_000; i++) publisher.publish(number(i));
    await transport.broker.idle();
    await sleep(1);
    expect(handled).toBe(20_000);
    expect(handledAtTimer).toBeGreaterThan(0);
    expect(handledAtTimer).toBeLessThan(20_000);
  });

  test('close resolves when what was published before has been delivered', async () => {
    const broker = createEmbeddedBroker();
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
    const transport = createEmbeddedTransport();
    const order: string[] = [];
    for (const topic of ['/a', '/b']) {
      const publisher = transport.advertise(topic, Float64s, qos.event);
      transport.subscribe(topic, Float64s, () => order.push(topic), qos.event);
      for (let i = 0; i < 3; i++) publisher.publish(number(i));
    }
    await transport.broker.idle();
    expect(order).toEqual(['/a', '/b', '/a', '/b', '/a', '/b']);
  });

  test('the type of a topic may change once nobody uses it', () => {
    const transport = createEmbeddedTransport();
    const publisher = transport.advertise('/topic', Float64s);
    expect(() => transport.subscribe('/topic', 'std_msgs/msg/Bool', () => {})).toThrow(
      /\/topic has another type; found: std_msgs\/msg\/Bool; expected: std_msgs\/msg\/Float64MultiArray/,
    );
    publisher.close();
    expect(() => transport.subscribe('/topic', 'std_msgs/msg/Bool', () => {})).not.toThrow();
  });

  test('a second server of a service is refused, a later one is not', async () => {
    const transport = createEmbeddedTransport();
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
      expect(() => createEmbeddedBroker({ faults: { rules: [rule] } })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    for (const seed of [Number.NaN, -1, 0.5])
      expect(() => createEmbeddedBroker({ seed })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('embedded transport over ports', () => {
  const worker = (code: string) => {
    const { port1, port2 } = new MessageChannel();
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const face = new URL('../../dist/src/transport/index.js', import.meta.url).href;
    const text = `
      import { workerData } from 'node:worker_threads';
      import { connectEmbedded, qos } from ${JSON.stringify(face)};
      const transport = connectEmbedded(workerData.port);
      const { gate } = workerData;
      const number = (value) => ({ layout: { dim: [], data_offset: 0 }, data: Float64Array.of(value) });
      ${code}`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(text)}`);
    const thread = new Worker(url, { workerData: { port: port2, gate }, transferList: [port2] });
    return { worker: thread, port: port1, gate };
  };

  test('a node lives in a worker thread: topics and services both ways; a blocked one gets the newest', async () => {
    const broker = createEmbeddedBroker();
    const transport = broker.connect();
    const received: number[] = [];
    const {
      worker: thread,
      port,
      gate,
    } = worker(`
      const sums = transport.advertise('/sums', 'std_msgs/msg/Float64MultiArray', qos.event);
      transport.subscribe('/numbers', 'std_msgs/msg/Float64MultiArray', ({ data }) => {
        Atomics.wait(gate, 0, 0); // blocks until it is open
        sums.publish(number(data[0] + 1000));
      }, qos.sensor);
      transport.serve('/ready', 'std_srvs/srv/Trigger', async () => ({ success: true, message: 'in a worker' }));
      const told = await transport.call('/hello', 'std_srvs/srv/SetBool', { data: true }, { timeoutMs: 60_000 });
      sums.publish(number(told.success ? 1 : 0));`);
    broker.attach(port);
    transport.serve('/hello', 'std_srvs/srv/SetBool', async ({ data }) => ({ success: data, message: '' }));
    transport.subscribe('/sums', Float64s, ({ data }) => received.push(data[0]!), qos.event);
    const numbers = transport.advertise('/numbers', Float64s, qos.sensor);
    const ready = await transport.call('/ready', 'std_srvs/srv/Trigger', {}, { timeoutMs: 60_000 });
    expect(ready.message).toBe('in a worker');
    await until(() => expect(received).toEqual([1]));
    for (let i = 0; i < 200; i++) {
      numbers.publish(number(i));
      if (i % 10 === 0) await sleep(1);
    }
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await until(() => expect(received.at(-1)).toBe(1199));
    const values = received.slice(1);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(values.length).toBeLessThanOrEqual(10);
    expect(broker.counters().get('/numbers')!.overflowed).toBe(200 - values.length);
    await thread.terminate();
    await broker.close();
  });

  test('a worker that dies leaves nothing behind: its calls, services and subscriptions end', async () => {
    const broker = createEmbeddedBroker();
    const transport = broker.connect();
    const { worker: thread, port } = worker(`
      transport.serve('/silent', 'std_srvs/srv/Trigger', () => new Promise(() => {}));
      transport.advertise('/alive', 'std_msgs/msg/Bool', qos.latched).publish({ data: true });`);
    broker.attach(port);
    let alive = false;
    transport.subscribe('/alive', 'std_msgs/msg/Bool', ({ data }) => {
      alive = data;
    });
    await until(() => expect(alive).toBe(true));
    const call = transport.call('/silent', 'std_srvs/srv/Trigger', {}, { timeoutMs: 60_000 });
    call.catch(() => {});
    await sleep(20);
    await thread.terminate();
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(() => transport.serve('/silent', 'std_srvs/srv/Trigger', () => new Promise(() => {}))).not.toThrow();
    await broker.close();
  });

  test('a broker that goes away is reported, and calls end', async () => {
    const broker = createEmbeddedBroker();
    const errors: IqLearnError[] = [];
    const { port1, port2 } = new MessageChannel();
    const attached = broker.attach(port1);
    const transport = connectEmbedded(port2, { onError: (error) => errors.push(error) });
    const call = transport.call('/nobody', 'std_srvs/srv/Trigger', {}, { timeoutMs: 60_000 });
    call.catch(() => {});
    await sleep(10);
    attached.close();
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until(() => expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']));
    expect(() => transport.advertise('/x', Float64s)).toThrow(/closed/);
    await transport.close();
  });

  test('a view of a large or shared buffer is sent as its own bytes', async () => {
    const broker = createEmbeddedBroker();
    const { port1, port2 } = new MessageChannel();
    broker.attach(port1);
    const far = connectEmbedded(port2);
    const near = broker.connect();
    const got: (Float64Array | number[])[] = [];
    far.subscribe('/out', Float64s, ({ data }) => got.push(data), qos.event);
    near.subscribe('/in', Float64s, ({ data }) => got.push(data), qos.event);
    const out = near.advertise('/out', Float64s, qos.event);
    const into = far.advertise('/in', Float64s, qos.event);
    // A port keeps the order: with the answer, what was subscribed before is known.
    near.serve('/ready', 'std_srvs/srv/Trigger', async () => ({ success: true, message: '' }));
    await far.call('/ready', 'std_srvs/srv/Trigger', {}, { timeoutMs: 60_000 });
    const large = new Float64Array(100_000).fill(7);
    const shared = new Float64Array(new SharedArrayBuffer(16)).fill(3);
    for (const publisher of [out, into]) {
      publisher.publish({ ...number(0), data: large.subarray(5, 7) });
      publisher.publish({ ...number(0), data: shared });
    }
    await until(() => expect(got).toHaveLength(4));
    for (const data of got as Float64Array[]) {
      expect(data).toHaveLength(2);
      expect(data.buffer).toBeInstanceOf(ArrayBuffer);
      expect(data.buffer.byteLength).toBe(16);
    }
    expect(got.filter(([first]) => first === 7)).toHaveLength(2);
    await far.close();
    await broker.close();
  });
});
