import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDemonstrations } from '#src/demonstrations/index.js';
import { readBundle } from '#src/policy/index.js';
import type { ReportData } from '#src/report/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { evaluate } from '#src/sessions/index.js';
import { runSeed } from '#src/training/index.js';
import { cli, inNewFolder, start, tree } from './support.js';

interface Figures {
  readonly name: string;
  readonly command: string;
  readonly figures: readonly { readonly name: string; readonly value: number; readonly unit: string }[];
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** The table of metrics in the folder of a run. */
function progress(run: string): { header: string[]; rows: string[][] } {
  const [header, ...rows] = readFileSync(`${run}/progress.csv`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return { header: header!, rows };
}

const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

describe('from a demonstration to a policy', () => {
  const spec = loadRobotSpec('rover');

  it('demo writes recording, policy, checkpoint, report and figures, and says how to do it again', async () => {
    const args = '--robot rover --demonstrations 1 --steps 200 --episodes 2 --settings quick.yaml --seed 3'.split(' ');
    const { code, stdout, stderr } = await cli('demo', '--name', 'first', '--json', 'figures.json', ...args);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^policy +success +return \(mean ± sd\) +episodes +return as shown, 2 episodes$/m);
    for (const policy of ['Expert', 'IQ-Learn', 'Behavioural cloning', 'Random'])
      expect(stdout).toMatch(new RegExp(`^${policy} .* 2 +(–|[\\d.−]+ ± [\\d.]+)$`, 'm'));
    expect(stdout).toContain('report: runs/first/report.html');
    expect(stdout).toContain(
      'again: iq-learn demo --robot rover --demonstrations 1 --steps 200 --episodes 2 --settings quick.yaml --seed 3',
    );

    const { episodes } = await readDemonstrations(['runs/first/recording'], spec);
    expect(episodes.map(({ success }) => success)).toEqual([true]);
    for (const policy of ['policy', 'behavioural-cloning']) {
      const runtime = await readBundle(`runs/first/${policy}`);
      expect(runtime.contract.robot).toBe('rover');
      await runtime.dispose();
    }

    const report = json<ReportData>('runs/first/report.json');
    expect(report.results.map((result) => [result.policy, result.episodes.length])).toEqual([
      ['expert', 2],
      ['iq-learn', 2],
      ['behavioural-cloning', 2],
      ['random', 2],
    ]);
    // The rover was shown a tour of a minute.
    expect(report.asShown?.map(({ policy, episodes: shown }) => [policy, shown.map(({ length }) => length)])).toEqual([
      ['expert', [600, 600]],
      ['iq-learn', [600, 600]],
      ['behavioural-cloning', [600, 600]],
    ]);
    // Every policy starts where the others do.
    const seeds = report.results.map((result) => result.episodes.map(({ seed }) => seed));
    for (const other of seeds) expect(other).toEqual(seeds[0]);
    expect(report.learning.points.at(-1)?.transitions).toBe(200);
    expect(report.rewards.map(({ recovered, task }) => [recovered.length, task.length])).toEqual([
      [150, 150],
      [150, 150],
    ]);
    const [view] = report.topView!.starts;
    expect(view!.paths.map(({ x }) => x.length)).toEqual([151, 151, 151]);
    // The ways begin at one place: the same start.
    expect(new Set(view!.paths.map(({ x, y }) => `${x[0]} ${y[0]}`)).size).toBe(1);
    expect(report.replays.map(({ frames }) => frames)).toEqual([151, 151, 151]);
    expect(readFileSync('runs/first/report.html', 'utf8')).toContain('Rover, taught by 1 demonstration');

    const { header, rows } = progress('runs/first');
    expect(rows.map(([step]) => step)).toEqual(['100', '200', '200']);
    expect(header[0]).toBe('time/total_timesteps');
    const known = ['rollout/ep_rew_mean', 'rollout/success_rate', 'time/fps', 'train/critic_loss', 'eval/success_rate'];
    expect(header).toEqual(expect.arrayContaining(known));

    const figures = json<Figures>('figures.json');
    expect(figures.name).toBe('demo');
    expect(figures.command).toContain('demo --robot rover');
    expect(figures.versions['onnxruntime-node']).toMatch(/^\d/);
    const value = (name: string): number => figures.figures.find((figure) => figure.name === name)!.value;
    const returns = report.results[0]!.episodes.map((episode) => episode.return);
    expect(value('expert/return')).toBeCloseTo((returns[0]! + returns[1]!) / 2, 9);
    expect(value('seconds')).toBeGreaterThan(value('seconds/learning'));
    expect(tree('runs/first').filter((name) => /\.(part|lock)$/.test(name))).toEqual([]);
  });

  it('candidates drove the task as it was shown, so that they can be compared with the demonstration', async () => {
    const { trial, scores } = json<{
      trial: object;
      scores: { version: number; return: number; episodes: number }[];
    }>('runs/first/candidates/scores.json');
    const [score] = scores;
    expect(trial).toEqual({ task: 'rover', options: { tour: true }, episodes: score!.episodes });
    const returns = await evaluate({
      spec,
      task: { tour: true },
      candidate: { kind: 'policy', bundle: `runs/first/candidates/${score!.version}` },
      seeds: Array.from({ length: score!.episodes }, (_, i) => runSeed(3, 'candidate', i)),
    });
    expect(score!.return).toBe(returns.reduce((sum, each) => sum + each.return, 0) / returns.length);
  });

  it('the replay stands where the robot stood', () => {
    const report = json<ReportData>('runs/first/report.json');
    const path = report.topView!.starts[0]!.paths[1]!;
    const chassis = report.replays[1]!.bodies.find(({ name }) => name === 'chassis')!;
    for (const t of [0, 75, 150]) {
      // The chassis leans a little over the axle, whose way the odometry tells.
      const apart = Math.hypot(chassis.poses[7 * t]! - path.x[t]!, chassis.poses[7 * t + 1]! - path.y[t]!);
      expect(apart).toBeLessThan(0.02);
    }
  });

  it('inspect tells what each part of a run is', async () => {
    const said = async (path: string): Promise<string> => {
      const { code, stdout, stderr } = await cli('inspect', path);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      return stdout;
    };
    expect(await said('runs/first')).toMatch(/^Report of rover[\s\S]*Behavioural cloning/);
    expect(await said('runs/first/policy')).toMatch(/^Policy rover\/[12]\/.*golden vectors agree[\s\S]*goal_distance/);
    expect(await said('runs/first/policy/manifest.json')).toMatch(/^Policy rover/);
    expect(await said('runs/first/policy/policy.onnx')).toMatch(/^ONNX model policy[\s\S]*Gemm/);
    expect(await said('runs/first/recording')).toMatch(/^Recording [\s\S]*\/odom +nav_msgs[\s\S]*success +seed \d+/);
    expect(await said('runs/first/recording/recording_0.mcap')).toMatch(/^Recording/);
    expect(await said('runs/first/checkpoint')).toMatch(/^Checkpoint .* is whole[\s\S]*learner\.updates +200/);
  });

  it('a run of the demo can be trained further, and its policy evaluated', async () => {
    const further = await cli('train', '--resume', '--out', 'runs/first', '--steps', '300');
    expect(further.stderr).toContain('going on from 200 of 300 steps');
    expect(further.code).toBe(0);
    const curves = json<ReportData['learning']>('runs/first/learning.json');
    expect(curves.points.map(({ transitions }) => transitions)).toEqual([100, 200, 300]);
    const report = readFileSync('runs/first/learning.html', 'utf8');
    expect(report).toContain('Rover, taught by 1 demonstration<');
    expect(report).toContain('<section id="learning"');
    expect(report).not.toContain('<section id="results"');
    expect(further.stdout).toContain('report: runs/first/learning.html');
    expect(progress('runs/first').rows.map(([step]) => step)).toEqual(['100', '200', '300']);
    const lines = readFileSync('runs/first/progress.jsonl', 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line)['time/total_timesteps'])).toEqual([100, 200, 300]);
    expect(readdirSync('runs/first/tensorboard').length).toBe(2);
    const evaluated = await cli('evaluate', '--robot', 'rover', '--policy', 'runs/first/policy', '--episodes', '2');
    expect(evaluated.stdout).toMatch(/^IQ-Learn .* 2$/m);
    expect(evaluated.code).toBe(0);
  });
});

describe('expert', () => {
  it('learns from rewards, saves, and goes on', async () => {
    const first = await cli('expert', '--task', 'hopper', '--steps', '120', '--name', 'hop');
    expect(first.stderr).not.toContain('error');
    expect(first.stdout).toMatch(/best return .* after 120 steps/);
    const runtime = await readBundle('runs/hop/policy');
    expect(runtime.training.algorithm).toBe('sac');
    await runtime.dispose();
    const more = await cli(
      'expert',
      '--task',
      'hopper',
      '--steps',
      '150',
      '--name',
      'hop',
      '--resume',
      '--json',
      'e.json',
    );
    expect(more.code).toBe(0);
    const steps = json<Figures>('e.json').figures.find(({ name }) => name === 'steps');
    expect(steps?.value).toBe(150);
    const { header, rows } = progress('runs/hop');
    expect(rows.map(([step]) => step)).toEqual(['120', '150']);
    expect(header).toEqual(expect.arrayContaining(['eval/mean_reward', 'rollout/ep_rew_mean', 'train/critic_loss']));
    expect(header.filter((name) => name.includes('success'))).toEqual([]);
  });
});

describe('Ctrl-C', () => {
  it('in the middle of a recording leaves whole episodes', async () => {
    const process = start(['record', '--robot', 'rover', '--episodes', '500', '--out', 'cut'], { cwd: folder.path });
    await process.seen('1 of 500 episodes');
    process.child.kill('SIGINT');
    const { code, stderr } = await process.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopping: .*\n(.*\n)*error: interrupted/);
    expect(tree('cut').filter((name) => /\.(part|lock)$/.test(name))).toEqual([]);
    const { episodes } = await readDemonstrations(['cut'], loadRobotSpec('rover'));
    expect(episodes.length).toBeGreaterThan(0);
    // None of them is the one that was cut.
    for (const { length, success } of episodes)
      expect({ length, success }).toEqual({ length: episodes[0]!.length, success: true });
  });

  it('in the middle of learning saves a checkpoint from which it goes on', async () => {
    const args = [
      'train',
      '--recording',
      'cut',
      '--robot',
      'rover',
      '--steps',
      '1000000',
      '--out',
      'learning',
      '--settings',
      'quick.yaml',
    ];
    const process = start(args, { cwd: folder.path });
    await process.seen('learning: 100 of');
    process.child.kill('SIGINT');
    const { code, stdout } = await process.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('go on: iq-learn train --out learning --resume');
    await (await readBundle('learning/policy')).dispose();
    const done = json<ReportData['learning']>('learning/learning.json').points.at(-1)!.transitions;
    const further = await cli('train', '--resume', '--out', 'learning', '--steps', String(done + 100));
    expect(further.stderr).toMatch(new RegExp(`going on from (${done}|${done + 100}) of`));
    expect(further.code).toBe(0);
    expect(existsSync('learning/.lock')).toBe(false);
  });

  it('twice ends at once', async () => {
    const args = [
      'train',
      '--recording',
      'cut',
      '--robot',
      'rover',
      '--steps',
      '1000000',
      '--out',
      'twice',
      '--settings',
      'quick.yaml',
    ];
    const { child, ended, seen } = start(args, { cwd: folder.path });
    await seen('learning: 100 of');
    // It might have saved before we had read that it is stopping.
    const [learner] = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' })
      .split('\n')
      .map(Number);
    process.kill(learner!, 'SIGSTOP');
    child.once('exit', () => process.kill(learner!, 'SIGCONT')); // which ends it: nobody is there any more
    child.kill('SIGINT');
    await seen('stopping');
    // Sooner it would be the first one again, as launchers pass it on.
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    // It did not wait for the policy to be written.
    expect(stdout).toBe('');
  });
});
