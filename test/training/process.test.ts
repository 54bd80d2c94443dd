import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { header, type Transition } from '#src/messages/index.js';
import { LearnerNode } from '#src/nodes/index.js';
import { loadCheckpoint } from '#src/platform/index.js';
import { decodeBundle } from '#src/policy/index.js';
import { type LearningOptions, type LearningProgress, type Segment, TrainingProcess } from '#src/training/index.js';
import { Rig, until } from '../nodes/toy.js';

import { demonstration, follow, options, segment, session } from './learning.js';

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

describe('learning in its own process', () => {
  it('makes a policy a segment, the same bit for bit whatever the timing, and goes on from a checkpoint as if nothing had happened', async () => {
    const run = async (change: Partial<LearningOptions>, seeds: number[], oneByOne = false, told = seeds.length) => {
      const learning = await TrainingProcess.create(options({}, change));
      const heard = follow(learning);
      for (const seed of seeds) {
        learning.learn(segment(seed, 21), session(seed));
        if (oneByOne) await until(() => heard.progress.length === seeds.indexOf(seed) + 1, 'its policy');
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
    const slow = await run({}, [1, 2, 3, 4], true);
    const models = (progress: LearningProgress[]) => progress.map(({ bundle }) => bundle.manifest);
    expect(models(slow.progress)).toEqual(models(whole.progress));
    expect(new Set(models(whole.progress)).size).toBe(4);

    const checkpoint = { folder, everySegments: 100 };
    const first = await run({ checkpoint }, [1, 2]);
    expect(first.generation).toBe(1);
    const second = await run({ checkpoint, resume: true, demonstrations: [], summary: {} }, [3, 4], false, 3);
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

  it('of a fleet that is behind takes all that waits at once, makes one policy of it, and skips what it cannot make', async () => {
    const checkpoint = { folder, everySegments: 2, leastSeconds: 0 };
    const change = { fleet: { updatesPerPolicy: 30, mostOwed: 40 }, candidateSegments: 2, checkpoint };
    const learning = await TrainingProcess.create(options({}, change));
    const heard = follow(learning);
    learning.pause(true);
    for (const seed of [1, 2, 3, 4, 5]) learning.learn(segment(seed, 21), session(seed));
    learning.pause(false);
    await until(() => heard.progress.at(-1)?.version === 5, 'the policy of what waited');
    learning.learn(segment(6, 21), session(6));
    await until(() => heard.progress.at(-1)?.version === 6, 'the policy of the last segment');
    await learning.stop(true);
    // Five segments pay for 52.5 updates, of which 40 are owed; the rest is made before the
    // policy of the sixth.
    expect(heard.progress.map(({ version, updates, transitions }) => [version, updates, transitions])).toEqual([
      [5, 30, 105],
      [6, 50, 126],
    ]);
    expect(heard.progress.map(({ metrics }) => metrics['train/updates_skipped'])).toEqual([13, 13]);
    expect(heard.warnings).toEqual([expect.stringContaining('behind the robots by 40 updates')]);
    expect(heard.progress.map(({ candidate }) => candidate !== undefined)).toEqual([true, true]);
    expect(loadCheckpoint(folder).meta).toMatchObject({ trainer: { version: 6, skippedUpdates: 12.5 } });
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

  it('of a fleet goes on from a checkpoint bit for bit, with what each robot has sent', async () => {
    const robots = ['a', 'b'];
    const sent = (seed: number): Segment => ({
      ...segment(seed, 20),
      robots: Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? 'a' : 'b')),
    });
    const run = async (change: Partial<LearningOptions>, segments: Segment[], told = segments.length) => {
      const learning = await TrainingProcess.create(options({}, { robots, ...change }));
      const heard = follow(learning);
      for (const each of segments) learning.learn(each);
      await until(() => heard.progress.length === told, 'the policies');
      await learning.stop(change.checkpoint !== undefined);
      expect(heard.failures).toEqual([]);
      return heard.progress.map(({ bundle }) => bundle.manifest);
    };
    const whole = await run({}, [sent(1), sent(2), sent(3)]);
    const one = await run({ robots: [] }, [segment(1, 20), segment(2, 20), segment(3, 20)]);
    expect(one[0]).not.toEqual(whole[0]);
    const checkpoint = { folder, everySegments: 100 };
    await run({ checkpoint }, [sent(1), sent(2)]);
    const rest = await run({ checkpoint, resume: true, demonstrations: [], summary: {} }, [sent(3)], 2);
    expect(rest).toEqual(whole.slice(1));
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

  it('fault F30: that diverges goes back to its checkpoint, says which metric, and publishes nothing', async () => {
    const checkpoint = { folder, everySegments: 1 };
    const settings = { clipTarget: false, targetNetwork: false };
    const calm = await TrainingProcess.create(options(settings, { checkpoint }));
    const before = follow(calm);
    calm.learn(segment(1));
    await until(() => before.progress.length === 1, 'a policy');
    await calm.stop(false);
    const given = options(settings, { checkpoint });
    // Out of their bounds: nobody can give such settings.
    const config = { ...given.config, criticLearningRate: 1e30, actorLearningRate: 1e30 } as typeof given.config;
    const wild = await TrainingProcess.create({ ...given, config });
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

  it('that diverges beyond the bound of its rewards is taken back, says so, and goes on with sound policies', async () => {
    const wild = await TrainingProcess.create(options({ criticLearningRate: 60, layerNorm: false }));
    const heard = follow(wild);
    const segments = 6;
    for (let i = 0; i < segments; i++) wild.learn(segment(i));
    await until(() => heard.progress.length + heard.failures.length === segments, 'all policies');
    expect(heard.failures).toEqual([]);
    expect(heard.warnings[0]).toMatch(
      /^learning diverged and was taken back from update \d+ to 0: train\/q = .*; the learning rates are 0\.25 of/,
    );
    const { metrics } = heard.progress.at(-1)!;
    expect(metrics['train/rollbacks']).toBe(heard.warnings.length);
    expect(Math.abs(metrics['train/q']!)).toBeLessThan(20);
    await wild.stop(false);
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
    // None twice: until something new is done, there is nothing to tell.
    send(9);
    await until(() => rewards.some(({ sequence }) => sequence === 9n), 'a reward of the last');
    expect(rewards.slice(count).map(({ sequence }) => sequence)).toEqual([8n, 9n]);
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
    while ((await learning.recoverRewards(demonstration(1))).updates === 0);
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
