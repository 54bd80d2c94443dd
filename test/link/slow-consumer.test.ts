import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  createSigningKeys,
  linkLimits,
  linkTopics,
  PolicySigner,
  PolicyVerifier,
  Spool,
  type StreamPlace,
} from '#src/link/index.js';
import { emptyMessage, type PolicyBundleMessage, type Transition } from '#src/messages/index.js';
import { LearnerGateway, RobotGateway } from '#src/nodes/index.js';
import { MqttTransport, openMqtt, qos } from '#src/transport/index.js';
import { Rig } from '../nodes/toy.js';
import { describeWithMosquitto, startMosquitto, startProxy } from '../support/brokers.js';

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 120_000, interval: 50 });
const MB = 1024 * 1024;
const SPOOL = MB;

let root: string;
let closes: (() => unknown)[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slow-'));
});
afterEach(async () => {
  for (const close of closes.toReversed()) await close();
  closes = [];
  rmSync(root, { recursive: true, force: true });
});

/** Memory of a process, in bytes. */
const residentOf = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

/** About 600 bytes each; every hundredth is a person's. */
const transition = (sequence: number): Transition => ({
  ...emptyMessage('iq_learn/msg/Transition'),
  robot: 'trolley',
  session: `run ${'x'.repeat(300)}`,
  sequence: BigInt(sequence),
  intervention: sequence % 100 === 0,
  observation: Float32Array.of(sequence, 0.5),
  action: Float32Array.of(-0.25),
  next_observation: Float32Array.of(sequence + 1, -0.5),
});

/** Both ends over a mosquitto with the limits of link init, each behind a proxy that can be slow. */
async function linked() {
  const broker = await startMosquitto((port) => ({
    port,
    text: `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 1000\n`,
  }));
  const proxies = { robot: await startProxy(broker.port), learner: await startProxy(broker.port) };
  closes.push(
    () => broker.stop(),
    () => proxies.robot.close(),
    () => proxies.learner.close(),
  );
  const open = async (end: 'robot' | 'learner') => {
    const options = { fleet: 'fleet', plaintext: true, clientId: end, limits: linkLimits, onError: () => {} };
    const connection = await openMqtt({ ...options, broker: proxies[end].url, longestWaitMs: 500 });
    const transport = new MqttTransport(connection, 'rover-1');
    closes.push(
      () => connection.end(),
      () => transport.close(),
    );
    return { connection, transport };
  };
  const [robot, learner] = [await open('robot'), await open('learner')];
  const [robotSide, learnerSide] = [new Rig(), new Rig()];
  const keys = createSigningKeys();
  const spool = new Spool({ folder: root, maxBytes: SPOOL, nowNs: () => 9n, warn: () => {} });
  const [got, places]: [number[], StreamPlace[]] = [[], []];
  const gateway = robotSide.start(
    new RobotGateway(
      robotSide.context('gateway'),
      {
        robot: 'rover-1',
        link: robot.transport,
        spool,
        verifier: new PolicyVerifier('fleet', [keys.publicKey]),
        isLinked: () => robot.connection.state.connected,
        onLinked: (listener) => void robot.connection.onChange(() => robot.connection.state.connected && listener()),
      },
      { megabytesPerSecond: 100 },
    ),
  );
  const host = learnerSide.start(
    new LearnerGateway(learnerSide.context('gateway'), {
      robot: 'rover-1',
      link: learner.transport,
      signer: new PolicySigner('fleet', keys.privateKey),
      sendsWhenAsked: true,
      onTransition: ({ sequence }, place) => {
        got.push(Number(sequence));
        places.push(place);
      },
    }),
  );
  closes.push(
    () => spool.close(),
    () => robotSide.close(),
    () => learnerSide.close(),
  );
  await until(() => expect([robot, learner].every(({ connection }) => connection.isSubscribed)).toBe(true));
  return { broker, proxies, robot, learner, robotSide, gateway, host, spool, got, places };
}

describeWithMosquitto('a slow consumer over mosquitto', () => {
  test('a learner that reads slowly holds the robot back: memory is bounded at both ends and in the broker, nothing acknowledged is lost', async () => {
    const { broker, proxies, robot, learner, robotSide, host, spool, got, places } = await linked();
    const live = robot.transport.advertise(linkTopics.policyStatus.topic, 'iq_learn/msg/PolicyStatus', qos.sensor);
    const status = { ...emptyMessage('iq_learn/msg/PolicyStatus'), reason: 'x'.repeat(20_000) };
    let [lives, heard] = [0, 0];
    learner.transport.subscribe(
      linkTopics.policyStatus.topic,
      'iq_learn/msg/PolicyStatus',
      () => {
        heard += 1;
      },
      qos.sensor,
    );
    await until(() => expect(learner.connection.isSubscribed).toBe(true));
    proxies.learner.trouble.bytesPerSecond = 150_000;
    const before = { own: process.memoryUsage().rss, broker: residentOf(broker.pid!) };
    let [sequence, confirmed, most] = [0, 0n, 0];
    for (let step = 0; step < 100; step++) {
      // 40 records and 5 live messages every 50 ms: several times what the learner reads.
      for (let i = 0; i < 40; i++) robotSide.say('/transitions', 'iq_learn/msg/Transition', transition(sequence++));
      for (let i = 0; i < 5; i++, lives++) live.publish(status);
      await sleep(50);
      most = Math.max(most, spool.figures.bytes);
      if (step % 20 === 19 && places.length > 0) {
        confirmed = places.at(-1)!.sequence;
        host.confirm(places.at(-1)!);
      }
    }
    await robotSide.broker.idle();
    const { dropped } = spool.figures;
    expect(most).toBeLessThan(1.2 * SPOOL);
    // The oldest of the policy's go first, and what a person did stays.
    expect(dropped.state).toBeGreaterThan(0);
    expect(dropped.demonstration).toBe(0);
    expect(confirmed).toBeGreaterThan(0n);
    expect(residentOf(broker.pid!) - before.broker).toBeLessThan(40 * MB);
    expect(process.memoryUsage().rss - before.own).toBeLessThan(150 * MB);

    // Longer than live state is worth something, so that what still waits of it is given up.
    await sleep(linkTopics.policyStatus.lifetimeMs);
    proxies.learner.trouble.bytesPerSecond = 0;
    await until(() => expect(host.view.gateway?.dropped_transitions).toBe(BigInt(dropped.state)));
    // What was dropped may have been on its way already: it could not have been sent again, but it arrives.
    await until(() => expect(got.at(-1)).toBe(sequence - 1));
    expect(got.length).toBeGreaterThanOrEqual(sequence - dropped.state);
    // Each once and in order, and of a person's every one.
    expect(got).toEqual([...new Set(got)].toSorted((a, b) => a - b));
    expect(got.filter((number) => number % 100 === 0)).toHaveLength(sequence / 100);
    // Live state is what was given up for it, and it goes on.
    expect(heard).toBeLessThan(lives);
    const then = heard;
    live.publish(status);
    await until(() => expect(heard).toBeGreaterThan(then));
    host.confirm(places.at(-1)!);
    await until(() => expect(spool.figures.waiting).toBe(0));
  }, 300_000);

  test('a robot that reads slowly gets one policy at a time, and the newest at the end', async () => {
    const { broker, proxies, robotSide, host, got } = await linked();
    const policies: PolicyBundleMessage[] = [];
    robotSide.transport.subscribe('/policy', 'iq_learn/msg/PolicyBundle', (policy) => policies.push(policy), {
      ...qos.latched,
      depth: 100,
    });
    proxies.robot.trouble.bytesPerSecond = 300_000;
    const before = residentOf(broker.pid!);
    const model = new Uint8Array(300_000).fill(7);
    for (let version = 1; version <= 40; version++) {
      host.send({
        ...emptyMessage('iq_learn/msg/PolicyBundle'),
        robot: 'trolley',
        epoch: 1n,
        version: BigInt(version),
        model,
        manifest: '{}',
      });
      robotSide.say('/transitions', 'iq_learn/msg/Transition', transition(version));
      await sleep(100);
    }
    await until(() => expect(policies.at(-1)?.version).toBe(40n));
    // 40 of them are 12 MB, which would have taken 40 seconds; those in between were never sent.
    expect(policies.length).toBeGreaterThan(1);
    expect(policies.length).toBeLessThan(20);
    expect(residentOf(broker.pid!) - before).toBeLessThan(20 * MB);
    // Its own data went on meanwhile.
    await until(() => expect(got).toHaveLength(40));
  }, 300_000);
});
