import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { createObservationAssembler, createSafetyFilter, loadRobotSpec } from '#src/robot/index.js';
import { EmbeddedBroker, type FaultRule, qos } from '#src/transport/index.js';
import { joints, ms } from '../robot/messages.js';

const Float64s = 'std_msgs/msg/Float64MultiArray';
const number = (value: number) => ({ layout: { dim: [], data_offset: 0 }, data: Float64Array.of(value) });
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 5 });
const deep = { ...qos.event, depth: 10_000 };

/** 0…count−1 over a link with faults. */
async function sent(rule: Omit<FaultRule, 'topics'>, count: number, seed = 1) {
  const broker = new EmbeddedBroker({ seed, faults: { rules: [{ topics: '/num*', ...rule }] } });
  const transport = broker.connect();
  const received: number[] = [];
  const clean: number[] = [];
  transport.subscribe('/numbers', Float64s, ({ data }) => received.push(data[0]!), deep);
  transport.subscribe('/others', Float64s, ({ data }) => clean.push(data[0]!), deep);
  const publisher = transport.advertise('/numbers', Float64s, deep);
  const other = transport.advertise('/others', Float64s, deep);
  for (let i = 0; i < count; i++) {
    publisher.publish(number(i));
    other.publish(number(i));
    if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const counters = () => broker.counters().get('/numbers')!.faults;
  await until(() => {
    const { dropped, duplicated } = counters();
    expect(received.length).toBe(count - dropped + duplicated);
  });
  await until(() => expect(clean).toHaveLength(count));
  await broker.close();
  return { received, faults: counters() };
}
const all = Array.from({ length: 500 }, (_, i) => i);

describe('faults of the embedded transport', () => {
  test('dropped messages: about as many as asked for, the same ones for the same seed, others for another', async () => {
    const first = await sent({ drop: 0.2 }, 500);
    expect(first.faults.dropped).toBeGreaterThan(60);
    expect(first.faults.dropped).toBeLessThan(140);
    expect(first.received).toEqual(first.received.toSorted((a, b) => a - b));
    expect((await sent({ drop: 0.2 }, 500)).received).toEqual(first.received);
    expect((await sent({ drop: 0.2 }, 500, 2)).received).not.toEqual(first.received);
    // The luck of one fault does not depend on the others.
    const both = await sent({ drop: 0.2, duplicate: 0.3 }, 500);
    expect([...new Set(both.received)]).toEqual(first.received);
  });

  test('duplicated messages arrive twice in a row', async () => {
    const { received, faults } = await sent({ duplicate: 0.3 }, 500);
    expect(faults.duplicated).toBeGreaterThan(100);
    expect([...new Set(received)]).toEqual(all);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
  });

  test('reordered messages are overtaken by the next one; delayed ones keep their order', async () => {
    const reordered = await sent({ reorder: 0.2 }, 500);
    expect(reordered.faults.reordered).toBeGreaterThan(50);
    expect(reordered.received).not.toEqual(all);
    expect(reordered.received.toSorted((a, b) => a - b)).toEqual(all);
    reordered.received.forEach((value, i) => {
      expect(Math.abs(value - i)).toBeLessThanOrEqual(1);
    });
    const delayed = await sent({ delay: { probability: 0.05, minMs: 1, maxMs: 5 } }, 500);
    expect(delayed.faults.delayed).toBeGreaterThan(0);
    expect(delayed.received).toEqual(all);
  });

  test('fault F15: the state over a bad link: newest wins, counted, never backwards', async () => {
    const rule = { topics: '/joint_states', drop: 0.1, duplicate: 0.1, reorder: 0.1 };
    const broker = new EmbeddedBroker({ seed: 5, faults: { rules: [rule] } });
    const transport = broker.connect();
    const assembler = createObservationAssembler(loadRobotSpec('hopper'));
    const stamps: bigint[] = [];
    transport.subscribe(
      '/joint_states',
      'sensor_msgs/msg/JointState',
      (message, { receivedNs }) => {
        assembler.accept('/joint_states', message, receivedNs);
        const result = assembler.assemble(receivedNs);
        if (result.ok) stamps.push(result.stampNs);
      },
      deep,
    );
    const publisher = transport.advertise('/joint_states', 'sensor_msgs/msg/JointState', deep);
    for (let i = 0; i < 400; i++) publisher.publish(joints(i * 8));
    const { faults } = broker.counters().get('/joint_states')!;
    await until(() => {
      const { accepted, duplicates, reordered } = assembler.counters;
      expect(accepted + duplicates + reordered).toBe(400 - faults.dropped + faults.duplicated);
    });
    expect(assembler.counters).toMatchObject({ clockJumps: 0 });
    expect(assembler.counters.duplicates).toBeGreaterThan(10);
    expect(assembler.counters.reordered).toBeGreaterThan(10);
    expect(stamps).toEqual(stamps.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    await broker.close();
  });

  test('fault F16: a partition: best effort is lost, reliable comes late as a burst of the newest, and stale actions move nothing', async () => {
    const clock = new ManualClock();
    const broker = new EmbeddedBroker({ clock });
    const transport = broker.connect();
    const commands: { value: number; receivedNs: bigint }[] = [];
    const sensed: number[] = [];
    const three = { ...qos.command, depth: 3 };
    transport.subscribe(
      '/command',
      Float64s,
      ({ data }, { receivedNs }) => commands.push({ value: data[0]!, receivedNs }),
      three,
    );
    transport.subscribe('/sensor', Float64s, ({ data }) => sensed.push(data[0]!), qos.sensor);
    const command = transport.advertise('/command', Float64s, three);
    const sensor = transport.advertise('/sensor', Float64s, qos.sensor);
    broker.partition('/*', true);
    for (let i = 0; i < 10; i++) {
      clock.advanceMs(100);
      command.publish(number(i / 100));
      sensor.publish(number(i));
    }
    await broker.idle();
    expect([commands, sensed]).toEqual([[], []]);
    clock.advanceMs(4000);
    broker.partition('/*', false);
    await broker.idle();
    expect(commands.map(({ value }) => value)).toEqual([0.07, 0.08, 0.09]);
    expect(sensed).toEqual([]);
    expect(broker.counters().get('/sensor')).toMatchObject({ lost: 10 });
    expect(broker.counters().get('/command')).toMatchObject({ lost: 0, overflowed: 7 });
    const filter = createSafetyFilter(loadRobotSpec('rover'));
    for (const { value, receivedNs } of commands) {
      const out = filter.step({
        nowNs: clock.nowNs(),
        action: Float32Array.of(value, 0),
        actionExpiryNs: receivedNs + ms(200),
        observationStampAgeMs: 0,
        takeover: null,
        estop: false,
        heartbeatNs: null,
      });
      expect(out).toMatchObject({ state: 'HOLDING', command: new Float32Array(2) });
    }
    expect(filter.counters.expired).toBe(3);
    sensor.publish(number(42));
    await broker.idle();
    expect(sensed).toEqual([42]);
    // What is under way when the partition begins waits too.
    sensor.publish(number(43));
    broker.partition('/sensor', true);
    await broker.idle();
    expect(sensed).toEqual([42]);
    broker.partition('/sensor', false);
    await broker.idle();
    expect(sensed).toEqual([42, 43]);
  });

  test('a partition loses calls, which end by their timeout', async () => {
    const broker = new EmbeddedBroker();
    const transport = broker.connect();
    transport.serve('/s', 'std_srvs/srv/Trigger', async () => ({ success: true, message: '' }));
    broker.partition('/s', true);
    const call = () => transport.call('/s', 'std_srvs/srv/Trigger', {}, { timeoutMs: 30 });
    await expect(call()).rejects.toMatchObject({ code: 'TIMEOUT' });
    broker.partition('/s', false);
    await expect(call()).resolves.toMatchObject({ success: true });
  });
});
