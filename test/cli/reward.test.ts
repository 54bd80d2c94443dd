import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadInference } from '#src/engine/index.js';
import { cli, inNewFolder } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(async () => {
  folder = inNewFolder();
  writeFileSync('soft-q.yaml', 'learner: { agent: soft-q, hiddenSizes: [8], batchSize: 8 }');
  const expert = ['expert', '--task', 'cartpole', '--steps', '100', '--settings', 'soft-q.yaml'];
  await cli(...expert, '--name', 'shown', '--record', '2', '--quiet');
  const { code, stderr } = await cli(
    ...['train', '--task', 'cartpole', '--demonstrations', 'runs/shown/demonstrations.npz'],
    ...['--steps', '20', '--out', 'run', '--quiet'],
  );
  expect(code, stderr).toBe(0);
}, 120_000);
afterAll(() => folder.leave());

it('reward gives every step of demonstrations its reward, a grid, and a function that runs anywhere', async () => {
  const steps = await cli(
    ...['reward', '--run', 'run', '--demonstrations', 'runs/shown/demonstrations.npz'],
    ...['--csv', 'rewards.csv', '--onnx', 'reward.onnx'],
  );
  expect(steps.code, steps.stderr).toBe(0);
  const [header, ...rows] = readFileSync('rewards.csv', 'utf8').trim().split('\n');
  expect(header).toBe('episode,step,reward,task_reward');
  expect(rows.length).toBe(Number(/^(\d+) steps of 2 episodes/.exec(steps.stdout)?.[1]));
  expect(rows.every((row) => row.split(',').length === 4 && Number.isFinite(Number(row.split(',')[2])))).toBe(true);
  const model = await loadInference(readFileSync('reward.onnx'));
  const zeros = { observation: new Float32Array(4), next_observation: new Float32Array(4) };
  const { reward } = await model.run({ ...zeros, action: Float32Array.of(1, 0), terminated: Float32Array.of(0) });
  expect(Number.isFinite(reward![0])).toBe(true);
  await model.dispose();
  const grid = await cli('reward', '--run', 'run', '--grid', '0=-1:1:3', '2=-0.1:0.1:2', '--csv', 'grid.csv');
  expect(grid.code, grid.stderr).toBe(0);
  const lines = readFileSync('grid.csv', 'utf8').trim().split('\n');
  expect(lines).toHaveLength(7);
  expect(lines[0]).toBe('observation_0,observation_2,reward');
}, 120_000);

it.each([
  [['--run', 'run'], 'nothing to recover'],
  [['--run', 'none', '--onnx', 'x.onnx'], 'none/training.json'],
  [['--run', 'run', '--grid', '0=1:0:5'], 'low < high'],
  [['--run', 'run', '--grid', '9=0:1:5'], 'entry 9'],
] as const)('reward %j is refused: %s', async (args, said) => {
  const { code, stderr } = await cli('reward', ...args);
  expect(code).toBe(2);
  expect(stderr).toContain(said);
  expect(existsSync('x.onnx')).toBe(false);
});
