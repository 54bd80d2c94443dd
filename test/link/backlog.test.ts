import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  BacklogGate,
  createSigningKeys,
  encodeRecorded,
  linkTopics,
  PolicySigner,
  PolicyVerifier,
  paceOf,
  Spool,
  type StreamBatch,
  StreamSender,
} from '#src/link/index.js';
import { emptyMessage, type Transition } from '#src/messages/index.js';
import { LearnerGateway, RobotGateway } from '#src/nodes/index.js';
import { EmbeddedBroker, qos } from '#src/transport/index.js';
import { Rig } from '../nodes/toy.js';

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 10 });
const MOST = 200;
const COUNT = 3000;

const transition = (sequence: number): Transition => ({
  ...emptyMessage('iq_learn/msg/Transition'),
  robot: 'trolley',
  session: 'run 1',
  sequence: BigInt(sequence),
  observation: Float32Array.of(sequence, 0.5),
  action: Float32Array.of(-0.25),
  next_observation: Float32Array.of(sequence + 1, -0.5),
});

let folder: string;
let ends: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backlog-'));
});
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
  ends = [];
  rmSync(folder, { recursive: true });
});

/** A learner that takes transitions and learns from none until `learn` is called, and its gateway; `said` are its changes. */
function behind(link: EmbeddedBroker) {
  const side = new Rig();
  const got: number[] = [];
  let learned = 0;
  const said: boolean[] = [];
  const gate = new BacklogGate({
    backlog: () => got.length - learned,
    most: MOST,
    onChange: (isClosed) => {
      said.push(isClosed);
      gateway.announce();
    },
  });
  const gateway: LearnerGateway = side.start(
    new LearnerGateway(side.context('gateway'), {
      robot: 'rover-1',
      link: link.connect(),
      signer: new PolicySigner('fleet', createSigningKeys().privateKey),
      gate,
      learn: ({ sequence }) => void got.push(Number(sequence)),
    }),
  );
  ends.push(() => side.close());
  const learn = (): void => {
    learned = got.length;
    gate.look();
  };
  return { got, said, gate, gateway, learn };
}

describe('a learner that stays behind', () => {
  test('holds robots back: what waits is bounded, the rest stays on their disks, and each comes once and in order at last', async () => {
    const link = new EmbeddedBroker();
    const { got, said, gateway, learn } = behind(link);
    const robot = new Rig();
    const spool = new Spool({ folder, maxBytes: 1e7, nowNs: () => 9n, warn: () => {} });
    const verifier = new PolicyVerifier('fleet', [createSigningKeys().publicKey]);
    const sends = robot.start(
      new RobotGateway(
        robot.context('gateway'),
        { robot: 'rover-1', link: link.connect(), spool, verifier },
        { gatherMs: 10 },
      ),
    );
    ends.push(
      () => link.close(),
      () => spool.close(),
      () => robot.close(),
    );
    for (let i = 0; i < COUNT; i++) {
      robot.say('/transitions', 'iq_learn/msg/Transition', transition(i));
      if (i % 50 === 49) await robot.broker.idle();
    }
    await until(() => expect(said).toEqual([true]));
    expect(got.length).toBeGreaterThanOrEqual(MOST);
    expect(got.length).toBeLessThan(2 * MOST);
    // It is not asked for again and again, and live messages go on.
    const { repeated } = gateway.view;
    const seen = gateway.view.seenMs;
    await until(() => expect(gateway.view.seenMs).toBeGreaterThan(seen + 1500));
    expect(got.length).toBeLessThan(2 * MOST);
    expect(gateway.view.repeated).toBe(repeated);
    expect(sends.isDone).toBe(false);
    expect(spool.figures.waiting).toBe(COUNT);
    for (let rounds = 0; got.length < COUNT; rounds++) {
      expect(rounds).toBeLessThan(2000);
      learn();
      await sleep(20);
      expect(got.length).toBeLessThanOrEqual(COUNT);
    }
    await until(() => expect(sends.isDone).toBe(true));
    expect(got).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  });

  test('takes nothing more of a robot that sends all the same, and loses nothing by it', async () => {
    const link = new EmbeddedBroker();
    ends.push(() => link.close());
    const { got, gate, gateway, learn } = behind(link);
    const batches = link
      .connect()
      .advertise(linkTopics.stream.topic, 'iq_learn_link/msg/StreamBatch', { ...qos.event, depth: 1000 });
    const batch = (first: number): StreamBatch => ({
      robot: 'rover-1',
      epoch: 9n,
      previous: BigInt(first),
      records: Array.from({ length: 50 }, (_, i) => ({
        sequence: BigInt(first + i + 1),
        topic: '/transitions',
        payload: encodeRecorded('/transitions', transition(first + i)),
      })),
    });
    for (let first = 0; first < COUNT; first += 50) batches.publish(batch(first));
    await link.idle();
    expect(got).toHaveLength(2 * MOST);
    expect(gate.isFull).toBe(true);
    while (got.length < COUNT) {
      learn();
      for (let first = 0; first < COUNT; first += 50) batches.publish(batch(first));
      await link.idle();
    }
    expect(got).toEqual(Array.from({ length: COUNT }, (_, i) => i));
    expect(gateway.view.records).toBe(COUNT);
  });
});

test('a sender that is held back sends nothing, however long, and goes on from where the other side stands', () => {
  const spool = new Spool({ folder, maxBytes: 1e7, nowNs: () => 5n, warn: () => {} });
  ends.push(() => spool.close());
  const sent: StreamBatch[] = [];
  let nowMs = 0;
  const sender = new StreamSender({
    robot: 'a',
    source: spool,
    publish: (batch) => sent.push(batch),
    nowMs: () => nowMs,
    batchBytes: 1000,
    windowBytes: 4000,
  });
  const standing = { robot: 'a', epoch: 5n, received: 0n, durable: 0n };
  for (let i = 0; i < 100; i++) spool.append('state', '/t', new Uint8Array(200));
  sender.position({ ...standing, window_bytes: 2000 });
  // The smaller of both windows counts.
  expect(sent.at(-1)!.records.at(-1)!.sequence).toBe(12n);
  sender.position({ ...standing, received: 4n, hold: true });
  sent.length = 0;
  for (let i = 0; i < 100; i++) {
    nowMs += 1000;
    sender.pump();
    sender.resume();
  }
  expect(sent).toEqual([]);
  expect(sender.isHeld).toBe(true);
  expect(sender.isIdle).toBe(false);
  // What was under way when it began may not have been taken.
  sender.position({ ...standing, received: 4n });
  expect(sent[0]!.previous).toBe(4n);
});

test('a sender does not send again what only takes long to arrive', () => {
  const spool = new Spool({ folder, maxBytes: 1e7, nowNs: () => 5n, warn: () => {} });
  ends.push(() => spool.close());
  const batches: StreamBatch[] = [];
  let nowMs = 0;
  const sender = new StreamSender({
    robot: 'a',
    source: spool,
    publish: (batch) => batches.push(batch),
    nowMs: () => nowMs,
    retryMs: 1000,
    gatherMs: 200,
  });
  sender.position({ robot: 'a', epoch: 5n, received: 0n, durable: 0n });
  // Every message arrives 5 seconds after it was sent: five times what it is waited for at first.
  const arriving: { readonly ms: number; readonly received: bigint }[] = [];
  let received = 0n;
  let records = 0;
  for (let step = 0; step < 3000; step++) {
    nowMs += 50;
    spool.append('state', '/t', new Uint8Array(20));
    sender.pump();
    for (const batch of batches.splice(0)) {
      records += batch.records.length;
      arriving.push({ ms: nowMs + 5000, received: batch.records.at(-1)!.sequence });
    }
    while (arriving[0] !== undefined && arriving[0].ms <= nowMs) {
      const next = arriving.shift()!;
      if (next.received > received) received = next.received;
      sender.position({ robot: 'a', epoch: 5n, received, durable: 0n });
    }
  }
  // Of 3000 only those of the first seconds are sent twice or more.
  expect(records).toBeLessThan(3600);
  expect(Number(received)).toBeGreaterThan(2800);
  // Lost is lost all the same: without an answer it is sent again.
  const before = records;
  for (let step = 0; step < 2000; step++) {
    nowMs += 50;
    sender.pump();
    for (const batch of batches.splice(0)) records += batch.records.length;
  }
  expect(records).toBeGreaterThan(before);
});

test('a sender gathers for as long as the other side asks for, within reason', () => {
  const spool = new Spool({ folder, maxBytes: 1e7, nowNs: () => 5n, warn: () => {} });
  ends.push(() => spool.close());
  const sent: number[] = [];
  let nowMs = 0;
  const sender = new StreamSender({
    robot: 'a',
    source: spool,
    publish: ({ records }) => sent.push(records.length),
    nowMs: () => nowMs,
    gatherMs: 100,
  });
  const drive = (ms: number): void => {
    sent.length = 0;
    for (let i = 0; i < ms / 50; i++) {
      nowMs += 50;
      spool.append('state', '/t', new Uint8Array(20));
      sender.pump();
      const received = spool.last;
      sender.position({ robot: 'a', epoch: 5n, received, durable: 0n, gather_ms: gather });
    }
  };
  let gather = 0;
  drive(2000);
  expect(sent.length).toBe(20);
  gather = 500;
  drive(2000);
  expect(sent.length).toBe(4);
  gather = 4_000_000_000;
  drive(20_000);
  expect(sent.length).toBeGreaterThanOrEqual(9);
});

test('a fleet is asked for larger and rarer messages the more robots it has', () => {
  expect(paceOf(1)).toEqual({ gatherMs: 1, statusMs: 1000, windowBytes: 1024 * 1024 });
  expect(paceOf(1000)).toEqual({ gatherMs: 500, statusMs: 5000, windowBytes: 67_109 });
  expect(paceOf(100_000)).toEqual({ gatherMs: 500, statusMs: 5000, windowBytes: 32 * 1024 });
});
