import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { shapeSize } from '#src/common/index.js';
import { type DemonstrationEpisode, readDemonstrations } from '#src/demonstrations/index.js';
import { learnerConfig } from '#src/learning/index.js';
import type { TwistStamped } from '#src/messages/index.js';
import type { Logger } from '#src/platform/index.js';
import { loadCheckpoint } from '#src/platform/index.js';
import {
  combineBundles,
  decodeBundle,
  type NamedBundle,
  readBundle,
  readBundleFiles,
  writeBundle,
} from '#src/policy/index.js';
import { checkContract, loadRobotSpec, observationOf } from '#src/robot/index.js';
import type { ComparedCandidate, Rollout, TrainingOptions, TrainingPoint } from '#src/sessions/index.js';
import { evaluate, runDemonstrations, TrainingSession } from '#src/sessions/index.js';
import { createExpert } from '#src/simulation/index.js';
import { OccupancyDistance } from '#src/training/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';
import { until } from './toy.js';

const quiet = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
const logger = (): Logger => quiet;
const spec = loadRobotSpec('rover');

let folder: string;
let episodes: DemonstrationEpisode[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iq-sessions-'));
  const seen: [number, boolean][] = [];
  const made = await runDemonstrations({
    spec,
    driver: createExpert('rover'),
    episodes: 1,
    seed: 1,
    folder: join(folder, 'demonstrations'),
    logger,
    onEpisode: (outcome, kept) => seen.push([outcome.length, kept]),
  });
  expect(made.episodes.length).toBe(1);
  expect(seen.filter(([, kept]) => kept)).toEqual([[made.episodes[0]!.length, true]]);
  expect(made.recording).toMatchObject({ discarded: made.discarded, partial: false, lost: 0 });
  ({ episodes } = await readDemonstrations([join(folder, 'demonstrations')], spec, { action: 'command' }));
  expect(episodes).toMatchObject([{ length: made.episodes[0]!.length, success: true }]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const training = (change: Partial<TrainingOptions> = {}): TrainingOptions => ({
  spec,
  demonstrations: episodes,
  config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [16], batchSize: 16 }),
  seed: 3,
  transitions: 190, // rounded up to 200
  segmentSize: 50,
  updatesPerTransition: 0.5,
  threads: 1,
  logger,
  ...change,
});

/** Trains from start to end. */
async function runTraining(options: TrainingOptions) {
  const session = await TrainingSession.create(options);
  return await session.run().finally(() => session.close());
}

describe('training over nodes', () => {
  it('is the same bit for bit with the same options, and not with another seed', async () => {
    const run = async (change: Partial<TrainingOptions> = {}) => {
      const points: TrainingPoint[] = [];
      const rollouts: Rollout[] = [];
      const outcome = await runTraining(
        training({ ...change, onProgress: (p) => points.push(p), onRollout: (r) => rollouts.push(r) }),
      );
      expect(outcome).toMatchObject({ version: 4, transitions: 200, updates: 100, interrupted: false });
      expect(points.map(({ version, transitions, updates }) => [version, transitions, updates])).toEqual([
        [1, 50, 25],
        [2, 100, 50],
        [3, 150, 75],
        [4, 200, 100],
      ]);
      for (const { metrics } of points) expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
      return { outcome, points, rollouts };
    };
    const first = await run();
    const second = await run({ threads: 1 });
    expect(second.outcome.bundle.manifest).toBe(first.outcome.bundle.manifest);
    expect(second.points.map(({ metrics }) => metrics)).toEqual(first.points.map(({ metrics }) => metrics));
    expect(second.rollouts.map(({ return: sum }) => sum)).toEqual(first.rollouts.map(({ return: sum }) => sum));
    expect(first.rollouts.length).toBeGreaterThan(0);
    const other = await run({ seed: 4 });
    expect(other.outcome.bundle.manifest).not.toBe(first.outcome.bundle.manifest);
  });

  it('gives policies that deploy: from a folder, through the policy node; traces agree with the robot', async () => {
    const session = await TrainingSession.create(training());
    const { bundle } = await session.run();
    writeBundle(join(folder, 'policy'), bundle);
    const runtime = await readBundle(join(folder, 'policy'));
    checkContract(runtime.contract, spec);
    expect(() => checkContract(runtime.contract, loadRobotSpec('arm'))).toThrow(/robot differs/);
    await runtime.dispose();

    const [trained] = await evaluate({
      spec,
      candidate: { kind: 'policy', bundle: join(folder, 'policy') },
      seeds: [5],
      traces: true,
      logger,
    });
    const { observations, actions, rewards, poses } = trained!.trace!;
    expect(observations.length).toBe(trained!.length + 1);
    expect(actions.length).toBe(trained!.length);
    expect(poses['/odom']!.length).toBe(trained!.length + 1);
    expect(rewards.reduce((sum, reward) => sum + reward, 0)).toBeCloseTo(trained!.return, 10);
    // What the policy was seen to do is what the bundle says it does.
    const policy = await decodeBundle(bundle);
    for (const [t, action] of actions.entries()) {
      const wanted = await policy.act(observations[t]!);
      action.forEach((value, k) => {
        expect(value).toBeCloseTo(wanted[k]!, 5);
      });
    }
    await policy.dispose();

    const recovered = await session.recoverRewards({ observations, actions, terminated: trained!.terminated });
    expect(recovered.length).toBe(trained!.length);
    expect(recovered.every(Number.isFinite)).toBe(true);
    await session.close();
  });

  it('tells the expert from chance, by the same road', async () => {
    const seeds = [11, 12, 13, 14];
    const expert = await evaluate({
      spec,
      candidate: { kind: 'driver', driver: createExpert('rover') },
      seeds,
      logger,
    });
    const random = await evaluate({ spec, candidate: { kind: 'random', seed: 1 }, seeds, logger });
    expect(expert.filter(({ success }) => success).length).toBeGreaterThanOrEqual(3);
    expect(random.filter(({ success }) => success).length).toBe(0);
    const mean = (outcomes: readonly { return: number }[]) => outcomes.reduce((sum, o) => sum + o.return, 0) / 4;
    expect(mean(expert)).toBeGreaterThan(mean(random));
    const again = await evaluate({ spec, candidate: { kind: 'random', seed: 1 }, seeds, logger });
    expect(again).toEqual(random);
  });

  // In the middle of an episode; its commands are limited in their rate, so what came before matters.
  it('goes on from its checkpoint after an interruption as if there had been none', async () => {
    // No segment of 50 ends with an episode of 130: wherever the interruption falls, an episode is under way.
    const task = { maxSteps: 130 };
    const whole = await runTraining(training({ task }));
    const checkpoint = { folder: join(folder, 'checkpoint'), everySegments: 1 };
    const abort = new AbortController();
    const first = await runTraining(
      training({
        task,
        checkpoint,
        signal: abort.signal,
        onProgress: ({ version }) => {
          if (version === 2) abort.abort();
        },
      }),
    );
    expect(first.interrupted).toBe(true);
    expect(first.version).toBeGreaterThanOrEqual(2);
    expect(first.version).toBeLessThan(4);
    expect(loadCheckpoint(checkpoint.folder).arrays['session.commands']!.length).toBeGreaterThan(0);
    const second = await runTraining(training({ task, checkpoint, resume: true, demonstrations: [] }));
    expect(second).toMatchObject({ version: 4, transitions: 200, updates: 100, interrupted: false });
    expect(second.bundle).toEqual(whole.bundle);
    const done = await runTraining(training({ task, checkpoint, resume: true, demonstrations: [] }));
    expect({ ...done, seconds: 0 }).toEqual({ ...second, seconds: 0 });
  });

  it('deploys the candidate that is nearest to the demonstrations, also where it was interrupted', async () => {
    const scores: ComparedCandidate[] = [];
    const candidates = { folder: join(folder, 'candidates'), everySegments: 2 };
    const whole = await runTraining(training({ candidates, onCandidate: (score) => scores.push(score) }));
    expect(scores.filter(({ final }) => !final)).toMatchObject([
      { version: 2, transitions: 100, episodes: 5 },
      { version: 4, transitions: 200, episodes: 5 },
    ]);
    const compared = scores.filter(({ final }) => final);
    expect(compared.map(({ transitions, meanOf, episodes }) => [transitions, meanOf, episodes])).toEqual(
      expect.arrayContaining([
        [100, undefined, expect.any(Number)],
        [200, undefined, expect.any(Number)],
        [200, [100, 200], expect.any(Number)],
      ]),
    );
    expect(compared.map(({ episodes }) => episodes).sort()).toEqual([20, 40, 40]);
    // The best is told first.
    const [chosen] = compared;
    expect(whole.chosen).toMatchObject({ version: chosen!.version, distance: chosen!.distance });
    const of = (version: number): NamedBundle => {
      const source = join(candidates.folder, String(version));
      return { source, bundle: readBundleFiles(source) };
    };
    const { versions } = whole.chosen!;
    expect(versions).toEqual((chosen!.meanOf ?? [chosen!.transitions]).map((steps) => steps / 50));
    expect(whole.bundle).toEqual(
      versions.length === 1 ? of(versions[0]!).bundle : await combineBundles(versions.map(of)),
    );

    const resumed = { folder: join(folder, 'candidates resumed'), everySegments: 2 };
    const checkpoint = { folder: join(folder, 'checkpoint of candidates'), everySegments: 1 };
    const abort = new AbortController();
    const onProgress = ({ version }: TrainingPoint): void => {
      if (version === 3) abort.abort();
    };
    await runTraining(training({ candidates: resumed, checkpoint, signal: abort.signal, onProgress }));
    const second = await runTraining(training({ candidates: resumed, checkpoint, resume: true }));
    expect(second).toEqual({ ...whole, seconds: second.seconds });
  });

  it('ends once learning has converged, and deploys one of the policies up to there; so does the run that goes on', async () => {
    // A hopper that has learned nothing falls at once, so that its candidates take no time.
    const hopper = loadRobotSpec('hopper');
    const observation = observationOf(hopper);
    const size = observation.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
    const shown: DemonstrationEpisode = {
      ...episodes[0]!,
      ...{ length: 20, observation, observations: new Float32Array(21 * size), stamps: null, rewards: null },
      ...{ actionSize: hopper.action.length, actions: new Float32Array(20 * hopper.action.length) },
    };
    const measure = vi.spyOn(OccupancyDistance.prototype, 'measure').mockReturnValue({ distance: 0.05, worst: 0.06 });
    try {
      const candidates = { folder: join(folder, 'converged'), everySegments: 1, stopWhenConverged: true };
      const checkpoint = { folder: join(folder, 'checkpoint of converged'), everySegments: 1 };
      const transitions = 10_000;
      const run = { spec: hopper, demonstrations: [shown], candidates, checkpoint, transitions };
      const ended = await runTraining(training(run));
      expect(ended).toMatchObject({ interrupted: false, converged: 6 });
      expect(ended.transitions).toBeLessThan(transitions);
      expect(ended.chosen!.version).toBeLessThanOrEqual(6);
      const again = await runTraining(training({ ...run, resume: true }));
      expect(again).toMatchObject({ interrupted: false, converged: 6, chosen: ended.chosen });
      expect(again.transitions).toBeLessThan(transitions);
      expect(again.bundle).toEqual(ended.bundle);
    } finally {
      measure.mockRestore();
    }
  });

  it('ends with a clear error when its learner is killed, and leaves nothing running', async () => {
    const session = await TrainingSession.create(training({ transitions: 100_000 }));
    const running = session.run();
    const refused = expect(running).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/the learning process died; found: it was ended by SIGKILL.*--resume/),
    });
    process.kill(session.learnerPid!, 'SIGKILL');
    await refused;
    await session.close();
  });
});

describe('an interruption', () => {
  it('stops the robot first, keeps what was finished, throws the unfinished demonstration away', async () => {
    const broker = new EmbeddedBroker();
    const commands: TwistStamped[] = [];
    broker
      .connect()
      .subscribe(spec.commands[0].topic, 'geometry_msgs/msg/TwistStamped', (message) => commands.push(message));
    const abort = new AbortController();
    let finished = 0;
    let settled = false;
    const running = runDemonstrations({
      spec,
      driver: createExpert('rover'),
      episodes: 1000,
      seed: 2,
      folder: join(folder, 'interrupted'),
      keepFailures: true,
      logger,
      broker,
      signal: abort.signal,
      onEpisode: () => finished++,
    }).finally(() => {
      settled = true;
    });
    const refused = expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    await until(() => finished === 1, 'the first demonstration');
    const count = commands.length;
    await until(() => commands.length > count + 5, 'the second demonstration being under way');
    abort.abort();
    await broker.idle();
    expect(commands.at(-1)!.twist).toMatchObject({ linear: { x: 0 }, angular: { z: 0 } });
    expect(settled).toBe(false); // files are closed after the stop, not before
    const last = commands.length;
    await refused;
    expect(commands.length).toBe(last);
    const read = await readDemonstrations([join(folder, 'interrupted')], spec);
    expect(read.episodes.length).toBe(1);
    expect(read.report.recordings[0]!.discarded).toBe(1);
    await broker.close();
  });

  it('before the start starts nothing', async () => {
    await expect(
      evaluate({ spec, candidate: { kind: 'random', seed: 1 }, seeds: [1], logger, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('what does not fit', () => {
  it('is refused with a clear word', async () => {
    const candidate = { kind: 'random', seed: 1 } as const;
    await expect(evaluate({ spec: { ...spec, task: null }, candidate, seeds: [1], logger })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('rover cannot be simulated'),
    });
    await expect(evaluate({ spec: { ...spec, rateHz: 20 }, candidate, seeds: [1], logger })).rejects.toMatchObject({
      code: 'MISMATCH',
      message: expect.stringContaining('the rate differs; found: 10 Hz; expected: 20 Hz'),
    });
    await expect(
      evaluate({
        spec: loadRobotSpec('arm'),
        candidate: { kind: 'policy', bundle: join(folder, 'policy') },
        seeds: [1],
        logger,
      }),
    ).rejects.toMatchObject({ code: 'MISMATCH', message: expect.stringContaining("found: 'rover'; expected: 'arm'") });
  });

  it('a driver that never succeeds is given up', async () => {
    await expect(
      runDemonstrations({
        spec,
        driver: { reset() {}, act: () => [0, 0] },
        episodes: 1,
        seed: 1,
        folder: join(folder, 'hopeless'),
        logger,
      }),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('20 episodes in a row') });
  });
});
