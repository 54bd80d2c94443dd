import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { header, type Transition } from '#src/messages/index.js';
import { LearnerNode } from '#src/nodes/index.js';
import type { PolicyBundle } from '#src/policy/index.js';
import type {
  LearningClient,
  LearningEvents,
  LearningProgress,
  RecoveredRewards,
  Segment,
} from '#src/training/index.js';
import { stateOf } from '../support/state.js';
import { diagnosed, Rig, trolleyBundle } from './toy.js';

let rig: Rig;
let folder: string;
beforeEach(() => {
  rig = new Rig();
  folder = mkdtempSync(join(tmpdir(), 'iq-learner-'));
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

const transition = (sequence: number, change: Partial<Transition> = {}): Transition => ({
  header: header(BigInt(sequence)),
  robot: 'trolley',
  session: 'a',
  sequence: BigInt(sequence),
  episode: 1,
  step: sequence,
  policy_version: 0n,
  intervention: false,
  observation: [sequence / 100, 0],
  action: [0.5],
  next_observation: [(sequence + 1) / 100, 0.5],
  blocks: new Uint8Array(),
  next_blocks: new Uint8Array(),
  terminated: false,
  truncated: false,
  reward: Number.NaN,
  ...change,
});
const send = (sequence: number, change: Partial<Transition> = {}): void =>
  rig.say('/transitions', 'iq_learn/msg/Transition', transition(sequence, change));

class FakeLearning implements LearningClient {
  readonly start: LearningProgress;
  readonly segments: Segment[] = [];
  events!: LearningEvents;
  stopped: boolean | undefined;
  constructor(start: LearningProgress) {
    this.start = start;
  }
  listen(events: LearningEvents): void {
    this.events = events;
  }
  learn(segment: Segment): void {
    this.segments.push(segment);
  }
  readonly pauses: boolean[] = [];
  pause(paused: boolean): void {
    this.pauses.push(paused);
  }
  async recoverRewards(): Promise<RecoveredRewards> {
    return { rewards: new Float32Array(), updates: 0 };
  }
  async deployed(): Promise<PolicyBundle> {
    return this.start.bundle;
  }
  async save(): Promise<number> {
    return 7;
  }
  async stop(save: boolean): Promise<number | null> {
    this.stopped = save;
    return null;
  }
}

const progress = async (version: number, metrics: Record<string, number> = {}): Promise<LearningProgress> => ({
  version,
  updates: version * 10,
  transitions: version * 4,
  demonstrations: 0,
  metrics,
  seconds: 0.5,
  bundle: await trolleyBundle(version),
});

describe('the learner node', () => {
  it('fault F14: hands over segments by sequence number: actions in −1…1, duplicates and strangers left out', async () => {
    const client = new FakeLearning(await progress(0));
    const node = rig.start(new LearnerNode(rig.context('learner'), client, { segmentSize: 4 }));
    send(0);
    send(1);
    send(1); // twice
    send(3); // overtakes 2
    send(2, { terminated: true });
    send(0); // again, late
    send(4, { robot: 'rover' });
    send(4, { session: 'b' });
    await rig.broker.idle();
    expect(client.segments.length).toBe(1);
    // 3 closed the segment before 2 came; 2 goes with the next.
    expect([...stateOf(client.segments[0]!.observations)]).toEqual([0, 0, 0.01, 0, 0.03, 0].map(Math.fround));
    expect([...client.segments[0]!.actions]).toEqual([0.5, 0.5, 0.5]);
    expect([...client.segments[0]!.terminated]).toEqual([0, 0, 0]);
    for (const sequence of [5, 6, 7]) send(sequence); // 4 is lost
    await rig.broker.idle();
    expect(client.segments.length).toBe(2);
    expect(diagnosed(node, 'duplicates')).toBe('2');
    expect(diagnosed(node, 'missing')).toBe('5'); // 4 of session a, 0…3 of session b
    expect(diagnosed(node, 'foreign')).toBe('1');
    expect(node.status().level).toBe(1);
    const all = client.segments.flatMap(({ length, observations }) =>
      Array.from({ length }, (_, i) => Math.round(stateOf(observations)[2 * i]! * 100)),
    );
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('tells the robots of a fleet apart, also where their runs have one name', async () => {
    const client = new FakeLearning(await progress(0));
    const node = rig.start(new LearnerNode(rig.context('learner'), client, { segmentSize: 2 }));
    node.attribute(({ episode }) => `rover-${episode}`);
    for (const sequence of [0, 1]) for (const episode of [1, 2]) send(sequence, { episode });
    send(1, { episode: 2 }); // twice
    await rig.broker.idle();
    expect(client.segments.flatMap(({ robots }) => robots)).toEqual(['rover-1', 'rover-2', 'rover-1', 'rover-2']);
    expect(diagnosed(node, 'duplicates')).toBe('1');
    expect(diagnosed(node, 'missing')).toBe('0');
  });

  it('ends the segments of a fleet by count: robots that were started together do not end theirs together', async () => {
    const client = new FakeLearning(await progress(0));
    const node = rig.start(new LearnerNode(rig.context('learner'), client, { segmentSize: 4 }));
    node.attribute(({ episode }) => `rover-${episode}`);
    for (let sequence = 0; sequence < 4; sequence++) for (const episode of [1, 2, 3]) send(sequence, { episode });
    await rig.broker.idle();
    expect(client.segments.map(({ length }) => length)).toEqual([4, 4, 4]);
    expect(node.backlog).toBe(12);
  });

  it('lets no bad number and no wrong length through', async () => {
    const client = new FakeLearning(await progress(0));
    const node = rig.start(new LearnerNode(rig.context('learner'), client, { segmentSize: 1 }));
    send(0, { observation: [Number.NaN, 0] });
    send(1, { action: [Number.POSITIVE_INFINITY] });
    send(2, { next_observation: [1] });
    send(3, { action: [] });
    send(4);
    await rig.broker.idle();
    expect(client.segments.length).toBe(1);
    expect(diagnosed(node, 'refused')).toBe('4');
  });

  it('publishes every policy, latched, with its metrics', async () => {
    const client = new FakeLearning(await progress(0));
    const statuses = rig.listen('/learner_status', 'iq_learn/msg/LearnerStatus');
    rig.start(new LearnerNode(rig.context('learner'), client, { segmentSize: 4 }));
    for (const sequence of [0, 1, 2, 3, 4]) send(sequence);
    await rig.broker.idle();
    client.events.progress(await progress(1, { 'train/critic_loss': 0.25 }));
    await rig.broker.idle();
    expect(statuses.at(-1)).toMatchObject({
      updates: 10n,
      transitions: 4n,
      policy_version: 1n,
      updates_per_second: 20,
      backlog: 1,
      names: ['train/critic_loss'],
      values: [0.25],
    });
    const late: bigint[] = [];
    rig.transport.subscribe('/policy', 'iq_learn/msg/PolicyBundle', ({ version }) => late.push(version), {
      reliability: 'reliable',
      durability: 'transient_local',
      depth: 1,
    });
    await rig.broker.idle();
    expect(late).toEqual([1n]);
  });

  it('fault F30: publishes nothing any more once learning reports that it diverged, and says which metric', async () => {
    const client = new FakeLearning(await progress(0));
    const policies: bigint[] = [];
    rig.transport.subscribe('/policy', 'iq_learn/msg/PolicyBundle', ({ version }) => policies.push(version));
    const node = rig.start(new LearnerNode(rig.context('learner'), client, { segmentSize: 4 }));
    client.events.progress(await progress(1));
    client.events.failure(
      new IqLearnError('DIVERGED', 'learning diverged', { found: 'train/q = NaN after 20 updates' }),
      null,
    );
    client.events.progress(await progress(3));
    await rig.broker.idle();
    expect(policies).toEqual([0n, 1n]);
    expect(node.fault).toMatchObject({ code: 'DIVERGED', found: 'train/q = NaN after 20 updates' });
    expect(node.progress.version).toBe(1);
    await node.shutdown();
    expect(client.stopped).toBe(true);
  });

  it('takes what a person did as demonstration where that is wanted, also while it runs', async () => {
    const client = new FakeLearning(await progress(0));
    const node = rig.start(new LearnerNode(rig.context('learner'), client, { segmentSize: 2 }));
    const two = async (from: number): Promise<number[]> => {
      send(from, { intervention: true });
      send(from + 1);
      await rig.broker.idle();
      return [...client.segments.at(-1)!.demonstrated];
    };
    expect(await two(0)).toEqual([0, 0]);
    node.setParameters({ learnFromInterventions: true });
    expect(await two(2)).toEqual([1, 0]);
  });

  it('yields to a learner that was activated after it, with an error, and makes an earlier one yield', async () => {
    const client = new FakeLearning(await progress(0));
    const statuses = rig.listen('/learner_status', 'iq_learn/msg/LearnerStatus');
    const node = rig.start(new LearnerNode(rig.context('learner'), client));
    await rig.broker.idle();
    const own = { ...statuses[0]!, header: header(0n, 'another learner') };
    rig.say('/learner_status', 'iq_learn/msg/LearnerStatus', { ...own, epoch: own.epoch - 1n });
    await rig.broker.idle();
    expect(node.fault).toBeUndefined();
    expect(rig.records.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('came before') });
    rig.say('/learner_status', 'iq_learn/msg/LearnerStatus', { ...own, epoch: own.epoch + 1n });
    await rig.broker.idle();
    expect(node.fault).toMatchObject({ code: 'CONFLICT' });
    const policies: bigint[] = [];
    rig.transport.subscribe('/policy', 'iq_learn/msg/PolicyBundle', ({ version }) => policies.push(version));
    client.events.progress(await progress(1));
    await rig.broker.idle();
    expect(policies).toEqual([0n]); // the latched one of before, and nothing after it
  });

  it('of two learners that were activated in the same nanosecond exactly one yields', async () => {
    const client = new FakeLearning(await progress(0));
    const statuses = rig.listen('/learner_status', 'iq_learn/msg/LearnerStatus');
    const node = rig.start(new LearnerNode(rig.context('learner'), client, {}, 'learner-b'));
    await rig.broker.idle();
    const own = statuses[0]!;
    expect(own.header.frame_id).toBe('learner-b');
    rig.say('/learner_status', 'iq_learn/msg/LearnerStatus', { ...own, header: header(0n, 'learner-a') });
    rig.say('/learner_status', 'iq_learn/msg/LearnerStatus', own);
    await rig.broker.idle();
    expect(node.fault).toBeUndefined();
    rig.say('/learner_status', 'iq_learn/msg/LearnerStatus', { ...own, header: header(0n, 'learner-c') });
    await rig.broker.idle();
    expect(node.fault).toMatchObject({ code: 'CONFLICT' });
  });

  it('gives every learner a name of its own', async () => {
    const statuses = rig.listen('/learner_status', 'iq_learn/msg/LearnerStatus');
    const client = new FakeLearning(await progress(0));
    for (let i = 0; i < 2; i++) await rig.start(new LearnerNode(rig.context('learner'), client)).shutdown();
    await rig.broker.idle();
    expect(new Set(statuses.map((status) => status.header.frame_id)).size).toBe(2);
  });

  it('pauses and resumes learning', async () => {
    const client = new FakeLearning(await progress(0));
    const node = rig.start(new LearnerNode(rig.context('learner'), client));
    await rig.trigger('/learner/pause');
    expect(node.status().message).toBe('paused');
    await rig.trigger('/learner/resume');
    expect(client.pauses).toEqual([true, false]);
  });

  it('saves when asked to', async () => {
    rig.start(new LearnerNode(rig.context('learner'), new FakeLearning(await progress(0))));
    expect(await rig.trigger('/learner/save')).toEqual({ success: true, message: 'generation 7' });
  });
});
