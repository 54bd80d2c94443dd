import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createSigningKeys,
  linkTopics,
  PolicySigner,
  PolicyVerifier,
  Spool,
  type StreamPlace,
} from '#src/link/index.js';
import { emptyMessage, type MessageTypes, type Transition } from '#src/messages/index.js';
import { LearnerGateway, RobotGateway, type RobotGatewayParameters } from '#src/nodes/index.js';
import { EmbeddedBroker, type FaultPlan, qos } from '#src/transport/index.js';
import { Rig } from './toy.js';

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 10 });

const transition = (sequence: number): Transition => ({
  ...emptyMessage('iq_learn/msg/Transition'),
  robot: 'trolley',
  session: 'run 1',
  sequence: BigInt(sequence),
  intervention: sequence % 7 === 0,
  observation: Float32Array.of(sequence, 0.5),
  action: Float32Array.of(-0.25),
  next_observation: Float32Array.of(sequence + 1, -0.5),
  reward: Number.NaN,
});
const bundle = (version: number): MessageTypes['iq_learn/msg/PolicyBundle'] => ({
  ...emptyMessage('iq_learn/msg/PolicyBundle'),
  robot: 'trolley',
  epoch: 3n,
  version: BigInt(version),
  model: Uint8Array.of(1, 2, version),
  manifest: '{}',
});

describe('the gateways of a link', () => {
  let folder: string;
  let ends: (() => unknown)[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
    ends = [];
    rmSync(folder, { recursive: true });
  });

  /** A robot's topics, a learner's topics, and a link between them. */
  function linked(more: { faults?: FaultPlan; parameters?: RobotGatewayParameters } = {}) {
    const link = new EmbeddedBroker({ seed: 1, ...(more.faults && { faults: more.faults }) });
    const [robotSide, learnerSide] = [new Rig(), new Rig()];
    const keys = createSigningKeys();
    const places: StreamPlace[] = [];
    const spool = new Spool({ folder, maxBytes: 1e7, nowNs: () => 9n, warn: () => {} });
    const signer = new PolicySigner('fleet', keys.privateKey);
    const robotLink = link.connect();
    const gateway = robotSide.start(
      new RobotGateway(
        robotSide.context('gateway'),
        { robot: 'rover-1', link: robotLink, spool, verifier: new PolicyVerifier('fleet', [keys.publicKey]) },
        more.parameters,
      ),
    );
    const host = learnerSide.start(
      new LearnerGateway(learnerSide.context('gateway'), {
        robot: 'rover-1',
        link: link.connect(),
        signer,
        onTransition: (_, place) => places.push(place),
      }),
    );
    ends.push(
      () => link.close(),
      () => spool.close(),
      () => robotSide.close(),
      () => learnerSide.close(),
    );
    return { link, robotSide, learnerSide, gateway, host, places, spool, keys };
  }

  test('carry every transition once, in order, over a link that loses, repeats and reorders', async () => {
    const faults = { rules: [{ topics: '*', drop: 0.2, duplicate: 0.2, reorder: 0.2 }] };
    const { robotSide, learnerSide, gateway, host, places, spool } = linked({ faults });
    const got = learnerSide.listen('/transitions', 'iq_learn/msg/Transition');
    for (let i = 0; i < 500; i++) {
      robotSide.say('/transitions', 'iq_learn/msg/Transition', transition(i));
      if (i % 50 === 0) await robotSide.broker.idle();
    }
    await until(() => expect(gateway.isDone).toBe(true));
    await learnerSide.broker.idle();
    expect(got).toEqual(Array.from({ length: 500 }, (_, i) => transition(i)));
    expect(places.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 500 }, (_, i) => BigInt(i + 1)));
    expect(spool.figures.waiting).toBe(500);
    host.confirm({ epoch: 9n, sequence: 500n });
    await until(() => expect(spool.figures.waiting).toBe(0));
    expect(host.view).toMatchObject({ records: 500, refused: 0 });
  });

  test('bring policies back; one that is changed, or signed by another, or for another fleet, is refused', async () => {
    const { link, robotSide, learnerSide, gateway, keys } = linked();
    const got = robotSide.listen('/policy', 'iq_learn/msg/PolicyBundle');
    learnerSide.say('/policy', 'iq_learn/msg/PolicyBundle', bundle(1), true);
    await until(() => expect(got).toEqual([bundle(1)]));
    const intruder = link.connect().advertise(linkTopics.policy.topic, 'iq_learn_link/msg/SignedPolicy', qos.latched);
    const others = createSigningKeys();
    intruder.publish(new PolicySigner('fleet', others.privateKey).sign(bundle(2)));
    await link.idle();
    const { key, signature, bundle: bytes } = new PolicySigner('fleet', keys.privateKey).sign(bundle(2));
    intruder.publish({ key, signature, bundle: bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)) });
    await link.idle();
    intruder.publish(new PolicySigner('another', keys.privateKey).sign(bundle(2)));
    await until(() => expect(gateway.status().values).toContainEqual({ key: 'refused_policies', value: '3' }));
    learnerSide.say('/policy', 'iq_learn/msg/PolicyBundle', bundle(3), true);
    await until(() => expect(got).toEqual([bundle(1), bundle(3)]));
    expect(robotSide.records.find(({ level }) => level === 'error')?.message).toMatch(
      /a policy is refused; found: a signature of the unknown key/,
    );
  });

  test('show how each side stands', async () => {
    const { robotSide, learnerSide, host, gateway } = linked();
    const learner = robotSide.listen('/learner_status', 'iq_learn/msg/LearnerStatus');
    learnerSide.say('/learner_status', 'iq_learn/msg/LearnerStatus', {
      ...emptyMessage('iq_learn/msg/LearnerStatus'),
      robot: 'trolley',
    });
    robotSide.say('/policy_status', 'iq_learn/msg/PolicyStatus', {
      ...emptyMessage('iq_learn/msg/PolicyStatus'),
      state: 'RUNNING',
    });
    await until(() => expect(learner).toHaveLength(1));
    await until(() => expect(host.view.policy?.state).toBe('RUNNING'));
    await until(() => expect(host.view.gateway?.round_trip_ms).toBeLessThan(1000));
    expect(Math.abs(host.view.gateway!.clock_offset_ms)).toBeLessThan(1000);
    expect(gateway.status().message).toBe('linked');
  });

  test('give a robot one status of the learner a second at most, however many there are', async () => {
    const { link, robotSide, learnerSide } = linked();
    const learner = robotSide.listen('/learner_status', 'iq_learn/msg/LearnerStatus');
    const over = link.connect();
    let carried = 0;
    over.subscribe(linkTopics.learnerStatus.topic, 'iq_learn/msg/LearnerStatus', () => void carried++, qos.sensor);
    const beganMs = performance.now();
    for (let i = 0; i < 200; i++) {
      learnerSide.say('/learner_status', 'iq_learn/msg/LearnerStatus', {
        ...emptyMessage('iq_learn/msg/LearnerStatus'),
        robot: 'trolley',
        updates: BigInt(i),
      });
      await learnerSide.broker.idle();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await link.idle();
    const seconds = (performance.now() - beganMs) / 1000;
    expect(carried).toBeGreaterThanOrEqual(1);
    expect(carried).toBeLessThanOrEqual(1 + Math.floor(seconds / 0.9));
    await until(() => expect(learner).toHaveLength(carried));
  });

  test('fault F19: a robot that no longer hears of its learner goes on, or pauses its policy, as it was told', async () => {
    for (const onLost of ['continue', 'stop'] as const) {
      rmSync(folder, { recursive: true, force: true });
      const { robotSide, learnerSide, gateway } = linked({ parameters: { onLost, lostAfterMs: 1000 } });
      let paused = 0;
      robotSide.transport.serve('/policy/pause', 'std_srvs/srv/Trigger', async () => {
        paused += 1;
        return { success: true, message: '' };
      });
      learnerSide.say('/learner_status', 'iq_learn/msg/LearnerStatus', emptyMessage('iq_learn/msg/LearnerStatus'));
      await until(() => expect(gateway.status().message).toBe('the learner is not heard of'));
      await until(() => expect(paused).toBe(onLost === 'stop' ? 1 : 0));
      for (const end of ends.splice(0).toReversed()) await end();
    }
  });

  test('carry nothing that commands, stops or takes over a robot', () => {
    const names = Object.values(linkTopics).map(({ topic }) => topic);
    expect(names.filter((name) => /cmd|command|teleop|estop|joy|takeover/.test(name))).toEqual([]);
  });
});
