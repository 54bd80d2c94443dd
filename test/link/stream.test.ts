import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random } from '#src/common/index.js';
import {
  Spool,
  type StreamBatch,
  type StreamPosition,
  StreamReceiver,
  StreamSender,
  type StreamStanding,
} from '#src/link/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';
import { hash, Learner, Robot } from './ledger.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stream-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const positionOf = (robot: string, more: Partial<StreamPosition> = {}): StreamStanding & Partial<StreamPosition> => ({
  robot,
  epoch: 0n,
  received: 0n,
  durable: 0n,
  ...more,
});

describe('the sender', () => {
  function sender(
    more: { readonly bytesPerSecond?: number; readonly windowBytes?: number; readonly gatherMs?: number } = {},
  ) {
    const spool = new Spool({ folder: join(root, 'a'), maxBytes: 1e7, nowNs: () => 5n, warn: () => {} });
    const sent: StreamBatch[] = [];
    let nowMs = 0;
    const stream = new StreamSender({
      robot: 'a',
      source: spool,
      publish: (batch) => sent.push(batch),
      nowMs: () => nowMs,
      batchBytes: 1000,
      windowBytes: 4000,
      bytesPerSecond: 1e6,
      retryMs: 1000,
      ...more,
    });
    for (let i = 0; i < 100; i++) spool.append('state', '/t', new Uint8Array(200));
    const pass = (ms: number): void => {
      nowMs += ms;
      stream.pump();
    };
    const numbers = (): bigint[] => sent.flatMap(({ records }) => records.map(({ sequence }) => sequence));
    return { spool, stream, sent, pass, numbers };
  }

  test('gathers records for a while into one message, unless there are many', () => {
    const { spool, stream, sent, pass } = sender({ gatherMs: 200, windowBytes: 1e6 });
    stream.position(positionOf('a', { epoch: 5n, received: 100n }));
    const write = (count: number): void => {
      for (let i = 0; i < count; i++) spool.append('state', '/t', new Uint8Array(2));
    };
    write(1);
    pass(0);
    expect(sent.map(({ records }) => records.length)).toEqual([1]);
    for (let i = 0; i < 3; i++) {
      write(1);
      pass(50);
    }
    expect(sent).toHaveLength(1);
    pass(50);
    expect(sent.map(({ records }) => records.length)).toEqual([1, 3]);
    write(300);
    pass(1);
    expect(sent.slice(2).reduce((sum, { records }) => sum + records.length, 0)).toBe(300);
  });

  test('sends nothing before it knows where the other side stands, and then as much as may be under way', () => {
    const { spool, stream, sent, pass, numbers } = sender();
    pass(10_000);
    expect(sent).toEqual([]);
    stream.position(positionOf('b'));
    expect(sent).toEqual([]);
    stream.position(positionOf('a'));
    expect(numbers()).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i + 1)));
    expect(sent.map(({ previous }) => previous)).toEqual([0n, 4n, 8n, 12n, 16n]);
    stream.position(positionOf('a', { epoch: 5n, received: 8n }));
    expect(numbers().at(-1)).toBe(28n);
    spool.close();
  });

  test('sends again what does not arrive, and what another learner does not know', () => {
    const { spool, stream, sent, pass, numbers } = sender();
    stream.position(positionOf('a'));
    sent.length = 0;
    pass(900);
    expect(sent).toEqual([]);
    pass(200);
    expect(numbers()[0]).toBe(1n);
    stream.position(positionOf('a', { epoch: 5n, received: 50n, durable: 30n }));
    sent.length = 0;
    stream.position(positionOf('a'));
    expect(numbers()[0]).toBe(1n);
    spool.close();
  });

  test('leaves room for what is live: after a partition it sends no faster than it may', () => {
    const { spool, stream, numbers, pass } = sender({ bytesPerSecond: 2000, windowBytes: 1e6 });
    stream.position(positionOf('a'));
    const first = numbers().length;
    expect(first).toBeLessThan(15);
    for (let i = 0; i < 20; i++) pass(100);
    const perSecond = (numbers().length - first) / 2;
    expect(perSecond * 232).toBeGreaterThan(1000);
    expect(perSecond * 232).toBeLessThan(3000);
    spool.close();
  });
});

test('a gap is filled at once and once, whatever was on its way behind it, and after that the sender waits', () => {
  const spool = new Spool({ folder: join(root, 'a'), maxBytes: 1e7, nowNs: () => 5n, warn: () => {} });
  for (let i = 0; i < 40; i++) spool.append('state', '/t', new Uint8Array(200));
  const way: StreamBatch[] = [];
  const taken: bigint[] = [];
  const asked: boolean[] = [];
  const sender = new StreamSender({
    robot: 'a',
    source: spool,
    publish: (batch) => way.push(batch),
    nowMs: () => 0,
    batchBytes: 1000,
  });
  const receiver = new StreamReceiver({
    robot: 'a',
    deliver: ({ sequence }) => taken.push(sequence),
    publish: (standing, again) => {
      asked.push(again);
      sender.position({ ...standing, again });
    },
  });
  receiver.announce();
  expect(way).toHaveLength(10);
  const [first, , third, ...others] = way.splice(0);
  receiver.take(first!);
  expect(way).toEqual([]);
  for (const batch of [third!, ...others]) receiver.take(batch);
  expect(asked.filter(Boolean)).toHaveLength(1);
  expect(way.map(({ previous }) => previous)).toEqual([4n, 8n, 12n, 16n, 20n, 24n, 28n, 32n, 36n]);
  const again = way.splice(0);
  // What was sent again got lost as well: it is not asked for with each batch behind it.
  for (const batch of again.slice(1)) receiver.take(batch);
  expect(way).toEqual([]);
  for (const batch of again) receiver.take(batch);
  expect(taken).toEqual(Array.from({ length: 40 }, (_, i) => BigInt(i + 1)));
  // The connection was made anew: all that was not taken is lost.
  for (let i = 0; i < 8; i++) spool.append('state', '/t', new Uint8Array(200));
  sender.pump();
  way.length = 0;
  receiver.announce(true);
  expect(way.map(({ previous }) => previous)).toEqual([40n, 44n]);
  spool.close();
});

test('a message is no larger than what may be under way', () => {
  const spool = new Spool({ folder: join(root, 'a'), maxBytes: 1e7, nowNs: () => 5n, warn: () => {} });
  for (let i = 0; i < 40; i++) spool.append('state', '/t', new Uint8Array(200));
  const sent: StreamBatch[] = [];
  const sender = new StreamSender({ robot: 'a', source: spool, publish: (batch) => sent.push(batch), nowMs: () => 0 });
  sender.position(positionOf('a', { window_bytes: 1000 }));
  expect(sent.map(({ records }) => records.length)).toEqual([4, 4]);
  spool.close();
});

describe('the receiver', () => {
  test('takes each record once and in order, and nothing of another robot or an older stream', () => {
    const taken: bigint[] = [];
    const said: StreamStanding[] = [];
    const receiver = new StreamReceiver({
      robot: 'a',
      start: { epoch: 5n, sequence: 10n },
      deliver: ({ sequence }) => taken.push(sequence),
      publish: (position) => said.push(position),
    });
    const batch = (previous: bigint, ...sequences: bigint[]): StreamBatch => ({
      robot: 'a',
      epoch: 5n,
      previous,
      records: sequences.map((sequence) => ({ sequence, topic: '/t', payload: new Uint8Array(0) })),
    });
    receiver.take(batch(11n, 12n));
    receiver.take(batch(9n, 10n, 11n));
    receiver.take({ ...batch(11n, 12n), robot: 'b' });
    receiver.take({ ...batch(11n, 12n), epoch: 4n });
    receiver.take(batch(11n, 14n));
    receiver.take(batch(9n, 10n, 11n));
    expect(taken).toEqual([11n, 14n]);
    expect(said.map(({ received }) => received)).toEqual([10n, 11n, 14n, 14n]);
    expect(receiver.counts).toEqual({ records: 2, repeated: 3, outOfPlace: 3 });
    receiver.confirm({ epoch: 5n, sequence: 11n });
    receiver.confirm({ epoch: 4n, sequence: 14n });
    expect(said.at(-1)).toEqual({ robot: 'a', epoch: 5n, received: 14n, durable: 11n });
    receiver.take({ ...batch(0n, 1n), epoch: 6n });
    expect(receiver.place).toEqual({ epoch: 6n, sequence: 1n });
  });
});

describe('the ledger', () => {
  test.each([1, 2, 3])(
    'fault F17: of ten robots is the same on both sides after kills, partitions, losses, repetitions and overtaking, seed %i',
    async (seed) => {
      const random = Random.derive(seed, 'ledger');
      const broker = new EmbeddedBroker({
        seed,
        faults: {
          rules: [
            { topics: '*', drop: 0.1, duplicate: 0.1, reorder: 0.1, delay: { probability: 0.1, minMs: 1, maxMs: 20 } },
          ],
        },
      });
      const names = Array.from({ length: 10 }, (_, i) => `rover_${i}`);
      const learners = names.map((name) => new Learner(name, broker.connect()));
      const robots = names.map((name) => new Robot(name, root, broker.connect()));
      let kills = 0;
      for (let step = 0; step < 300; step++) {
        for (const robot of robots) for (let i = 0; i < 10; i++) robot.write();
        for (const [i, learner] of learners.entries()) {
          if (random.uniform() < 0.05) learner.checkpoint();
          if (random.uniform() < 0.1) learner.announce();
          for (const end of [learner, robots[i]!])
            if (random.uniform() < 0.01) {
              end.kill();
              kills += 1;
            }
          if (random.uniform() < 0.02) broker.partition(`/${names[i]}/*`, true);
          else if (random.uniform() < 0.2) broker.partition(`/${names[i]}/*`, false);
        }
        if (step % 10 === 0) await sleep(2);
      }
      for (const name of names) broker.partition(`/${name}/*`, false);
      for (let i = 0; robots.some(({ isDone }) => !isDone); i++) {
        if (i > 4000) throw new Error('the streams do not come to their end');
        for (const learner of learners) learner.announce();
        await sleep(20);
      }
      for (const [i, robot] of robots.entries()) {
        expect(robot.written).toHaveLength(3000);
        expect(hash(learners[i]!.ledger)).toBe(hash(robot.written));
        robot.close();
      }
      expect(kills).toBeGreaterThan(30);
      await broker.close();
    },
    120_000,
  );
});

test('a receiver that may be quiet says where it stands after so many bytes, and at once where something came again', () => {
  const said: bigint[] = [];
  const receiver = new StreamReceiver({
    robot: 'a',
    quietBytes: 100,
    deliver: () => {},
    publish: ({ received }) => said.push(received),
  });
  const batch = (first: number, count: number): StreamBatch => ({
    robot: 'a',
    epoch: 1n,
    previous: BigInt(first - 1),
    records: Array.from({ length: count }, (_, i) => ({
      sequence: BigInt(first + i),
      topic: '/t',
      payload: new Uint8Array(30),
    })),
  });
  receiver.take(batch(1, 1));
  receiver.take(batch(2, 2));
  expect(said).toEqual([]);
  receiver.take(batch(4, 1));
  expect(said).toEqual([4n]);
  receiver.take(batch(4, 2));
  expect(said).toEqual([4n, 5n]);
  receiver.take(batch(8, 1));
  expect(said).toEqual([4n, 5n, 5n]);
  receiver.announce();
  expect(said.at(-1)).toBe(5n);
});
