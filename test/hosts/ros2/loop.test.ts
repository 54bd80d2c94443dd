import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDemonstrations } from '#src/demonstrations/index.js';
import { readBundle } from '#src/policy/index.js';
import { checkContract, loadRobotSpec } from '#src/robot/index.js';
import { describeWithRos, type RosProcess, startExecutable } from '../../support/ros.js';
import { Driver } from './driver.js';

const TINY = {
  learner: { 'learner.hidden_sizes': '[16]', 'learner.batch_size': 16, autostart: false },
  demo: { demonstrations: 1, steps: 300, episodes: 1, warm_start_updates: 50 },
  recorder: { autostart: false },
  simulator: { pace: 'lockstep' },
};

// In a namespace: everything below /r1 must find each other there.
describeWithRos('demonstrate, learn and deploy over DDS', () => {
  let folder: string;
  let driver: Driver;
  let nodes: RosProcess[];
  let demo: RosProcess;

  const start = (name: string, parameters: Record<string, unknown> = {}): RosProcess =>
    startExecutable(name, [
      '--ros-args',
      '-r',
      '__ns:=/r1',
      ...Object.entries({ use_sim_time: true, ...parameters }).flatMap(([key, value]) => ['-p', `${key}:=${value}`]),
    ]);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iq-ros-loop-'));
    driver = await Driver.start();
    await driver.subscribe('/r1/policy_status', 'iq_learn/msg/PolicyStatus');
    nodes = [
      start('simulator', TINY.simulator),
      start('expert'),
      start('recorder', TINY.recorder),
      start('learner', TINY.learner),
      start('policy'),
    ];
    demo = start('demo', { ...TINY.demo, run: join(folder, 'run') });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('runs through, conducted by services, parameters and lifecycles alone', async () => {
    await demo.line(/the learner prepares/, 240_000);
    const names = ['demo', 'expert', 'learner', 'policy', 'recorder', 'simulator'].map((name) => `/r1/${name}`);
    await expect.poll(() => driver.nodes()).toEqual(expect.arrayContaining(names));
    const publishers = async (topic: string) => (await driver.endpoints(topic)).publishers;
    await expect.poll(() => publishers('/r1/cmd_vel')).toMatchObject([{ node: 'policy' }]);
    await expect
      .poll(() => publishers('/clock'))
      .toMatchObject([{ node: 'simulator', namespace: '/r1', reliability: 'best_effort' }]);
    expect(await demo.exited, demo.output).toEqual({ code: 0, signal: null });
    expect(demo.output).toMatch(/driver +success +return/);
    expect(demo.output).toMatch(/expert +\d+ %/);
    expect(demo.output).toMatch(/policy +\d+ %/);
  }, 600_000);

  it('leaves a recording and a policy that anybody can use', async () => {
    const spec = loadRobotSpec('rover');
    const recording = join(folder, 'run', 'recording');
    expect(readFileSync(join(recording, 'metadata.yaml'), 'utf8')).toContain('rosbag2_bagfile_information');
    const { episodes } = await readDemonstrations([recording], spec);
    // Over DDS in lockstep nothing is lost, and nothing is doubled: one tour, unbroken.
    expect(episodes.map(({ length }) => length)).toEqual([600]);
    const runtime = await readBundle(join(folder, 'run', 'policy'));
    checkContract(runtime.contract, spec);
    expect(runtime.version).toBe(2);
    await runtime.dispose();
  });

  it('ends with exit code 0 everywhere, and nothing half-written', async () => {
    for (const node of nodes) node.kill('SIGINT');
    for (const node of nodes) expect(await node.exited, node.output).toEqual({ code: 0, signal: null });
    expect(existsSync(join(folder, 'run', '.lock'))).toBe(false);
  });
});
