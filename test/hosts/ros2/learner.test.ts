import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBundle } from '#src/policy/index.js';
import { checkContract, loadRobotSpec } from '#src/robot/index.js';
import { expertDriver, runDemonstrations } from '#src/sessions/index.js';
import { describeWithRos, type RosProcess, startExecutable } from '../../support/ros.js';
import { Driver, type Json } from './driver.js';

const spec = loadRobotSpec('rover');
const SEGMENT = 8;

describeWithRos('the learner executable over DDS', () => {
  let folder: string;
  let driver: Driver;
  let learner: RosProcess;
  let sent = 0;
  /** Those that took transitions and were taken down since. */
  const gone: string[] = [];
  const begin = (): RosProcess =>
    startExecutable('learner', [
      '--ros-args',
      ...Object.entries({
        recording: `['${join(folder, 'recording')}']`,
        run: join(folder, 'run'),
        segment_size: SEGMENT,
        checkpoint_every: 1,
        learn_from_interventions: true,
        'learner.hidden_sizes': '[16]',
        'learner.batch_size': 16,
        'learner.warm_start_updates': 0,
        'learner.actor_delay': 0,
      }).flatMap(([name, value]) => ['-p', `${name}:=${value}`]),
    ]);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iq-ros-learner-'));
    const expert = await expertDriver(spec);
    await runDemonstrations({ spec, driver: expert, episodes: 1, seed: 1, folder: join(folder, 'recording') });
    driver = await Driver.start();
    learner = begin();
    await driver.subscribe('/policy', 'iq_learn/msg/PolicyBundle', { durability: 'transient_local', depth: 1 });
    await driver.subscribe('/learner_status', 'iq_learn/msg/LearnerStatus');
    await driver.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const readers = (): Promise<string[]> => driver.readers('/transitions', 'iq_learn/msg/Transition');
  const transitions = async (count: number, session: string, intervention = false): Promise<void> => {
    // What is published before the learner's subscription is matched does not reach it.
    await expect.poll(async () => (await readers()).some((id) => !gone.includes(id))).toBe(true);
    for (let i = 0; i < count; i++, sent++)
      await driver.publish('/transitions', 'iq_learn/msg/Transition', {
        robot: 'rover',
        session,
        sequence: i,
        step: i,
        intervention,
        observation: spec.observation.map(() => Math.sin(sent)),
        action: [0.1, 0.2],
        next_observation: spec.observation.map(() => Math.sin(sent + 1)),
      });
  };
  const status = (fits: (message: Json) => boolean, what: string): Promise<Json> =>
    driver.until('/learner_status', fits, what);

  it('offers its first policy, latched, for whoever comes late', async () => {
    await driver.until('/policy', ({ robot, version }) => robot === 'rover' && version === 0, 'the first policy');
    await expect
      .poll(async () => (await driver.endpoints('/policy')).publishers)
      .toMatchObject([{ reliability: 'reliable', durability: 'transient_local' }]);
    await status(({ demonstrations }) => demonstrations > 50, 'the demonstrations');
  });

  it('learns from transitions that rclpy sends, and publishes a policy for every segment', async () => {
    await transitions(2 * SEGMENT, 'first');
    await status(
      ({ transitions: learned, policy_version }) => learned === 2 * SEGMENT && policy_version === 2,
      'two segments',
    );
    const { model, manifest } = await driver.until('/policy', ({ version }) => version === 2, 'their policy');
    expect(JSON.parse(manifest)).toMatchObject({ training: { algorithm: 'iq-sac', transitions: 2 * SEGMENT } });
    expect(model.length).toBeGreaterThan(1000);
  });

  it('takes what a person does as demonstration', async () => {
    const before = (await status(() => true, 'a status')).demonstrations;
    await transitions(SEGMENT, 'a person', true);
    const after = await status(({ policy_version }) => policy_version === 3, 'their segment');
    expect(after).toMatchObject({ demonstrations: before + SEGMENT, transitions: 2 * SEGMENT });
  });

  it('pauses, goes on and saves when asked to', async () => {
    expect(await driver.trigger('/learner/pause')).toMatchObject({ success: true });
    await transitions(SEGMENT, 'paused');
    await status(({ backlog }) => backlog === SEGMENT, 'a backlog');
    await driver.diagnosed('learner', ({ message }) => message === 'paused', 'paused in /diagnostics');
    expect(await driver.trigger('/learner/resume')).toMatchObject({ success: true });
    await status(({ policy_version, backlog }) => policy_version === 4 && backlog === 0, 'the segment');
    expect(await driver.trigger('/learner/save')).toMatchObject({ success: true, message: /^generation \d+$/ });
  });

  it('reports ERROR when its learning process is killed, and goes on from the checkpoint when started again', async () => {
    const child = execFileSync('pgrep', ['-P', String(learner.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')[0]!;
    process.kill(Number(child), 'SIGKILL');
    const { message } = await driver.diagnosed('learner', ({ level }) => level === 2, 'ERROR in /diagnostics');
    expect(message).toMatch(/learning process died.*SIGKILL/);
    expect(await driver.state('learner')).toBe('active');
    gone.push(...(await readers()));
    for (const each of ['deactivate', 'cleanup']) expect(await driver.transition('learner', each)).toBe(true);
    await driver.reach('learner', 'configure');
    await driver.take('/learner_status'); // of before
    expect(await driver.transition('learner', 'activate')).toBe(true);
    await status(({ transitions: learned }) => learned === 3 * SEGMENT, 'what was learned before');
    await driver.diagnosed('learner', ({ level }) => level === 0, 'OK in /diagnostics');
    await transitions(SEGMENT, 'after');
    await status(({ policy_version }) => policy_version === 5, 'the next policy');
  });

  it('loses nothing when all of it is killed and started again', async () => {
    gone.push(...(await readers()));
    learner.kill('SIGKILL');
    await learner.exited;
    learner = begin();
    await learner.line(/going on from 32 transitions/);
    await driver.take('/learner_status'); // of before
    await status(
      ({ policy_version, transitions: learned }) => policy_version >= 4 && learned === 4 * SEGMENT,
      'the same place',
    );
  });

  it('saves and leaves a policy that fits the robot when it is ended', async () => {
    await transitions(SEGMENT, 'last');
    await status(({ policy_version }) => policy_version === 6, 'the last policy');
    learner.kill('SIGTERM');
    expect(await learner.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(join(folder, 'run', '.lock'))).toBe(false);
    expect(readdirSync(join(folder, 'run'))).toEqual(
      expect.arrayContaining(['progress.csv', 'progress.jsonl', 'tensorboard']),
    );
    const runtime = await readBundle(join(folder, 'run', 'policy'));
    checkContract(runtime.contract, spec);
    expect(runtime.version).toBe(6);
    await runtime.dispose();
  });
});
