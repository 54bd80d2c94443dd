import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IqLearnError, Random } from '#src/common/index.js';
import { type Episode, type LearnerSettings, learnerConfig } from '#src/learning/index.js';
import { header, type Transition } from '#src/messages/index.js';
import { LearnerNode } from '#src/nodes/index.js';
import { decodeBundle } from '#src/policy/index.js';
import { contractOf } from '#src/robot/index.js';
import type { LearningEvents, RecoveredRewards, SessionState } from '#src/training/index.js';
import {
  type LearningClient,
  type LearningOptions,
  type LearningProgress,
  type Segment,
  TrainingProcess,
} from '#src/training/index.js';
import { stateOf } from '../support/state.js';
import { diagnosed, Rig, spec, trolleyBundle, until } from './toy.js';

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
  it('hands over segments by sequence number: actions in −1…1, duplicates and strangers left out', async () => {
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

  it('publishes nothing any more once learning reports that it diverged, and says which metric', async () => {
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

const demonstration = (seed: number): Episode => {
  const random = new Random(seed);
  const length = 60;
  return {
    length,
    observations: random.fillNormal(new Float32Array(2 * (length + 1))),
    actions: Float32Array.from({ length }, () => random.uniform(-0.9, 0.9)),
    terminated: false,
  };
};
/** An episode ends with the eighth transition. */
const segment = (seed: number, length = 20): Segment => {
  const random = new Random(seed);
  const observations = random.fillNormal(new Float32Array(2 * length));
  const actions = Float32Array.from({ length }, () => random.uniform(-1, 1));
  return {
    length,
    observations,
    actions,
    nextObservations: random.fillNormal(new Float32Array(2 * length)),
    terminated: Uint8Array.from({ length }, (_, i) => (i === 7 ? 1 : 0)),
    demonstrated: new Uint8Array(length),
  };
};
/** What a session wants to find again: learning stores it and does not look into it. */
const session = (seed: number): SessionState => ({
  meta: { episodes: seed, deep: { names: ['a', 'b'] } },
  arrays: { commands: Float32Array.of(seed, 0.5), empty: new Float32Array(0) },
});
const options = (
  settings: Partial<Extract<LearnerSettings, { agent: 'iq-sac' }>> = {},
  change: Partial<LearningOptions> = {},
): LearningOptions => ({
  config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [16], batchSize: 16, ...settings }),
  contract: contractOf(spec),
  seed: 1,
  demonstrations: [demonstration(1)],
  updatesPerTransition: 0.5,
  threads: 1,
  ...change,
});

/** Collects what a learning says. */
function follow(learning: TrainingProcess) {
  const heard = {
    progress: [] as LearningProgress[],
    warnings: [] as string[],
    failures: [] as [IqLearnError, number | null][],
  };
  learning.listen({
    progress: (progress) => heard.progress.push(progress),
    warning: (message) => heard.warnings.push(message),
    failure: (error, restored) => heard.failures.push([error, restored]),
  });
  return heard;
}

describe('learning in its own process', () => {
  it('makes a policy a segment, the same bit for bit whatever the timing, and goes on from a checkpoint as if nothing had happened', async () => {
    const run = async (change: Partial<LearningOptions>, seeds: number[], pauseMs = 0, told = seeds.length) => {
      const learning = await TrainingProcess.create(options({}, change));
      const heard = follow(learning);
      for (const seed of seeds) {
        learning.learn(segment(seed, 21), session(seed));
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      await until(() => heard.progress.length === told, 'the policies');
      const generation = await learning.stop(change.checkpoint !== undefined);
      expect(heard.failures).toEqual([]);
      return { start: learning.start, progress: heard.progress, generation };
    };
    const whole = await run({}, [1, 2, 3, 4]);
    expect(whole.start).toMatchObject({ version: 0, updates: 0, transitions: 0, metrics: {} });
    // 21 × 0.5 updates: the halves add up.
    expect(whole.progress.map(({ version, updates, transitions }) => [version, updates, transitions])).toEqual([
      [1, 10, 21],
      [2, 21, 42],
      [3, 31, 63],
      [4, 42, 84],
    ]);
    expect(whole.progress[0]!.metrics['train/critic_loss']).toEqual(expect.any(Number));
    const slow = await run({}, [1, 2, 3, 4], 30);
    const models = (progress: LearningProgress[]) => progress.map(({ bundle }) => bundle.manifest);
    expect(models(slow.progress)).toEqual(models(whole.progress));
    expect(new Set(models(whole.progress)).size).toBe(4);

    const checkpoint = { folder, everySegments: 100 };
    const first = await run({ checkpoint }, [1, 2]);
    expect(first.generation).toBe(1);
    const second = await run({ checkpoint, resume: true, demonstrations: [], summary: {} }, [3, 4], 0, 3);
    // The robot was being driven by the first policy when the second came.
    expect(second.start).toMatchObject({ version: 1, updates: 21, transitions: 42 });
    expect(second.start.bundle).toEqual(whole.progress[0]!.bundle);
    // What came with the newest segment comes back as it was.
    expect(second.start).toMatchObject({ segments: 2, session: session(2) });
    expect(models(second.progress)).toEqual(models(whole.progress.slice(1)));
    expect(second.progress.map(({ metrics }) => metrics)).toEqual(
      whole.progress.slice(1).map(({ metrics }) => metrics),
    );
    const runtime = await decodeBundle(whole.progress[3]!.bundle);
    expect(runtime).toMatchObject({ version: 4, training: { updates: 42, transitions: 84, algorithm: 'iq-sac' } });
    await runtime.dispose();
  });

  it('takes what a person showed beside the demonstrations, none of it as policy data, and that too survives a resume bit for bit', async () => {
    const shown = (seed: number): Segment => {
      const { demonstrated, ...rest } = segment(seed, 20);
      return { ...rest, demonstrated: demonstrated.map((_, i) => (i < 6 ? 1 : 0)) };
    };
    const run = async (change: Partial<LearningOptions>, segments: Segment[], told = segments.length) => {
      const learning = await TrainingProcess.create(options({}, change));
      const heard = follow(learning);
      for (const each of segments) learning.learn(each);
      await until(() => heard.progress.length === told, 'the policies');
      await learning.stop(change.checkpoint !== undefined);
      expect(heard.failures).toEqual([]);
      return heard.progress;
    };
    const whole = await run({}, [shown(1), shown(2), shown(3)]);
    expect(whole.map(({ transitions, demonstrations }) => [transitions, demonstrations])).toEqual([
      [14, 66],
      [28, 72],
      [42, 78],
    ]);
    const checkpoint = { folder, everySegments: 100 };
    await run({ checkpoint }, [shown(1), shown(2)]);
    const rest = await run({ checkpoint, resume: true, demonstrations: [], summary: {} }, [shown(3)], 2);
    expect(rest.map(({ bundle }) => bundle.manifest)).toEqual(whole.slice(1).map(({ bundle }) => bundle.manifest));
  });

  it('learns from a person alone as soon as the policy has acted', async () => {
    const learning = await TrainingProcess.create(options());
    const heard = follow(learning);
    learning.learn({ ...segment(1, 8), demonstrated: new Uint8Array(8).fill(1) });
    learning.learn(segment(2, 8));
    await until(() => heard.progress.length === 2, 'two policies');
    expect(heard.progress.map(({ updates, transitions }) => [updates, transitions])).toEqual([
      [0, 0],
      [8, 8],
    ]);
    expect(heard.failures).toEqual([]);
    await learning.stop(false);
  });

  it('that diverges goes back to its checkpoint, says which metric, and publishes nothing', async () => {
    const checkpoint = { folder, everySegments: 1 };
    const settings = { clipTarget: false, targetNetwork: false };
    const calm = await TrainingProcess.create(options(settings, { checkpoint }));
    const before = follow(calm);
    calm.learn(segment(1));
    await until(() => before.progress.length === 1, 'a policy');
    await calm.stop(false);
    const wild = await TrainingProcess.create(
      options({ ...settings, criticLearningRate: 1e30, actorLearningRate: 1e30 }, { checkpoint }),
    );
    const heard = follow(wild);
    for (let i = 0; i < 5; i++) wild.learn(segment(i));
    await until(() => heard.failures.length === 1, 'the divergence');
    const [error, restored] = heard.failures[0]!;
    expect(error.code).toBe('DIVERGED');
    expect(error.message).toMatch(/train\/\w+ = (NaN|-?Infinity) after \d+ updates/);
    expect(restored).toBeGreaterThanOrEqual(1);
    const policies = heard.progress.length;
    wild.learn(segment(9));
    // The process handles requests in order. It still answers, from the checkpoint, and the segment made no policy.
    const { rewards } = await wild.recoverRewards(demonstration(2));
    expect(heard.progress.length).toBe(policies);
    expect(rewards.length).toBe(60);
    expect(rewards.every(Number.isFinite)).toBe(true);
    expect(await wild.stop(true)).toBeNull(); // and is not written over a good checkpoint
  });

  it('that is killed tells so, and leaves nobody waiting', async () => {
    const learning = await TrainingProcess.create(options());
    const heard = follow(learning);
    learning.learn(segment(1, 2000));
    const rewards = learning.recoverRewards(demonstration(1));
    const refused = expect(rewards).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await learning.kill();
    await refused;
    expect(heard.failures.map(([error]) => error.code)).toEqual(['UNAVAILABLE']);
    expect(heard.failures[0]![0].message).toMatch(/the learning process died.*--resume/);
    await expect(learning.save()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await learning.stop(true)).toBeNull();
  });

  it('tells the reward that its critic implies of the newest transitions, as the learner recovers it', async () => {
    const learning = await TrainingProcess.create(options());
    const rewards = rig.listen('/recovered_reward', 'iq_learn/msg/RecoveredReward');
    const progress: LearningProgress[] = [];
    const node = new LearnerNode(rig.context('learner'), learning, { segmentSize: 8, recoveredRewardRateHz: 10 });
    node.onProgress((each) => progress.push(each));
    rig.start(node);
    for (let i = 0; i < 8; i++) send(i);
    await until(() => progress.length === 1, 'the policy');
    await until(() => rewards.some(({ sequence }) => sequence === 7n), 'a reward of the newest');
    const count = rewards.length;
    send(8, { terminated: true, header: header(8_000_000_001n) });
    await until(() => rewards.length > count, 'a reward of the next');
    const { updates, reward, ...told } = rewards.at(-1)!;
    expect(told).toEqual({
      header: header(8_000_000_001n),
      robot: 'trolley',
      session: 'a',
      sequence: 8n,
      episode: 1,
      step: 8,
    });
    expect(Number(updates)).toBe(progress[0]!.updates);
    // The whole way through the process says what the process itself says of the same step.
    const { next_observation } = transition(8);
    const own = await learning.recoverRewards({
      length: 1,
      observations: Float32Array.of(0.08, 0, next_observation[0]!, next_observation[1]!),
      actions: Float32Array.of(0.5),
      terminated: true,
    });
    expect(reward).toBe(own.rewards[0]);
    // None twice: nothing new was done.
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(rewards.length).toBe(count + 1);
  });

  it('makes the node report a killed process as its fault, and end cleanly', async () => {
    const learning = await TrainingProcess.create(options());
    const node = rig.start(new LearnerNode(rig.context('learner'), learning, { segmentSize: 4 }));
    await learning.kill();
    expect(node.fault).toMatchObject({ code: 'UNAVAILABLE' });
    expect(node.status()).toMatchObject({ level: 2, message: expect.stringContaining('died') });
    await node.shutdown();
  });

  it('stops within its time in the middle of a long segment, and saves what is owed', async () => {
    const checkpoint = { folder, everySegments: 100 };
    const learning = await TrainingProcess.create(options({}, { checkpoint, updatesPerTransition: 50 }));
    const heard = follow(learning);
    learning.learn(segment(1, 2000)); // 100 000 updates
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await learning.stop(true)).toBe(1); // not killed: it had time to save
    expect(heard).toEqual({ progress: [], warnings: [], failures: [] });
    const resumed = await TrainingProcess.create(options({}, { checkpoint, resume: true }));
    expect(resumed.start).toMatchObject({ version: 0, transitions: 2000, segments: 1 });
    expect(resumed.start.session).toBeUndefined();
    expect(resumed.start.updates).toBeLessThan(100_000);
    await resumed.kill();
  });

  it('refuses to start with a clear word: nothing to learn from, nothing to resume', async () => {
    await expect(TrainingProcess.create(options({}, { demonstrations: [] }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(
      TrainingProcess.create(
        options({}, { checkpoint: { folder: join(folder, 'none'), everySegments: 1 }, resume: true }),
      ),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
