import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importNpz } from '#src/demonstrations/index.js';
import { loadCheckpoint } from '#src/platform/index.js';
import { readBundle } from '#src/policy/index.js';
import { createExpert, createTask } from '#src/simulation/index.js';
import { npzOf } from '../training/npz.js';
import { cli, inNewFolder } from './support.js';

// An absolute path, because the tests change the working directory.
const python = resolve(process.env.IQ_LEARN_PYTHON_VENV ?? '.venv-test', 'bin/python');
const gymnasium = (() => {
  try {
    execFileSync(python, ['-c', 'import gymnasium'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

it('train --task cartpole learns from the scripted expert with soft Q-learning and says how well it balances', async () => {
  const { code, stdout } = await cli('train', '--task', 'cartpole', '--steps', '700', '--out', 'cartpole');
  expect(code).toBe(0);
  expect(Number(/return ([\d.]+) over 20 fresh starts/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(450);
}, 180_000);

it('train --task names the nearest task, and asks for demonstrations where nobody can give them', async () => {
  const unknown = await cli('train', '--task', 'cartpol');
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain("did you mean 'cartpole'?");
  const none = await cli('train', '--task', 'hopper', '--out', 'hopper');
  expect(none.code).not.toBe(0);
  expect(none.stderr).toContain('--demonstrations');
}, 60_000);

/** Episodes of the cart and pole by its scripted expert, as an .npz of action indices. */
async function cartpoleDemonstrations(episodes: number): Promise<Buffer> {
  const task = await createTask('cartpole');
  const expert = createExpert('cartpole');
  const made = Array.from({ length: episodes }, (_, seed) => {
    const observations = [[...task.reset(seed)]];
    const actions: number[][] = [];
    for (let ended = false; !ended; ) {
      const action = expert.act(observations.at(-1)!);
      const { observation, terminated, truncated } = task.step(action);
      actions.push([...action]);
      observations.push([...observation]);
      ended = terminated || truncated;
    }
    return { observations, actions };
  });
  task.close();
  return npzOf(made, false);
}

it.skipIf(!gymnasium)(
  "train --task learns gymnasium's CartPole-v1 from three demonstrations in an .npz",
  async () => {
    writeFileSync('cartpole.npz', await cartpoleDemonstrations(3));
    const before = process.env.PYTHON;
    process.env.PYTHON = python;
    try {
      const { code, stdout, stderr } = await cli(
        ...['train', '--task', 'gym:CartPole-v1', '--demonstrations', 'cartpole.npz'],
        ...['--steps', '700', '--out', 'gymnasium'],
      );
      expect(code, stderr).toBe(0);
      // A policy of random actions reaches about 22.
      expect(Number(/return ([\d.]+) over 20 fresh starts/.exec(stdout)?.[1])).toBeGreaterThan(200);
    } finally {
      if (before === undefined) delete process.env.PYTHON;
      else process.env.PYTHON = before;
    }
  },
  180_000,
);

it('expert learns a task with discrete actions and records demonstrations that train --task takes', async () => {
  writeFileSync('soft-q.yaml', 'learner: { agent: soft-q, hiddenSizes: [16], batchSize: 8 }');
  const { code, stdout, stderr } = await cli(
    ...['expert', '--task', 'cartpole', '--steps', '400', '--settings', 'soft-q.yaml'],
    ...['--name', 'balancer', '--record', '2', '--quiet'],
  );
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/demonstrations: runs\/balancer\/demonstrations\.npz, 2 episodes of return [\d.]+/);
  const [first] = importNpz('runs/balancer/demonstrations.npz');
  expect(first!.rewards).toHaveLength(first!.length);
  const trained = await cli(
    ...['train', '--task', 'cartpole', '--demonstrations', 'runs/balancer/demonstrations.npz'],
    ...['--steps', '5', '--out', 'imitated', '--quiet'],
  );
  expect(trained.code, trained.stderr).toBe(0);
}, 120_000);

it('train --task goes on with --resume as if nothing had happened, logs, and writes a policy that runs', async () => {
  writeFileSync('small.yaml', 'learner: { agent: iq-soft-q, hiddenSizes: [16], batchSize: 8 }');
  const args = ['train', '--task', 'gridworld', '--settings', 'small.yaml', '--quiet', '--log', 'csv'];
  const whole = await cli(...args, '--steps', '2200', '--out', 'whole');
  expect(whole.code, whole.stderr).toBe(0);
  const part = await cli(...args, '--steps', '2100', '--out', 'part');
  expect(part.code, part.stderr).toBe(0);
  // The schedules of a run end with the run it was begun as, so the plan of the shorter one is given the other's.
  const plan = JSON.parse(readFileSync('part/training.json', 'utf8')) as { config: { decayUpdates: number } };
  expect(plan.config.decayUpdates).toBe(2100);
  const resumed = await cli('train', '--out', 'part', '--resume', '--steps', '2200', '--quiet', '--log', 'csv');
  expect(resumed.code, resumed.stderr).toBe(0);
  const [first, second] = ['whole', 'part'].map((run) => loadCheckpoint(`${run}/checkpoint`).arrays['state.critic']);
  expect(second).toEqual(first);
  expect(readFileSync('part/progress.csv', 'utf8').split('\n').length).toBeGreaterThan(2);
  // Both deploy the policy that is nearest to the demonstrations, whichever that is.
  const scores = (run: string) =>
    (JSON.parse(readFileSync(`${run}/candidates/scores.json`, 'utf8')) as { scores: unknown[] }).scores;
  expect(scores('whole')).toHaveLength(2);
  expect(scores('part')).toEqual(scores('whole'));
  expect(whole.stdout).toMatch(
    /the (policy|mean of the policies) after ((1000|2000|2200)(, )?)+ steps is deployed: distance from the demonstrations \d/,
  );
  expect(resumed.stdout).toContain(/.* is deployed: .*/.exec(whole.stdout)![0]);
  expect(readFileSync('part/policy/policy.onnx')).toEqual(readFileSync('whole/policy/policy.onnx'));
  const [names] = readFileSync('part/progress.csv', 'utf8').split('\n');
  expect(names).toContain('eval/distance');
  const policy = await readBundle('part/policy');
  expect(await policy.act(new Float32Array(25))).toHaveLength(5);
  expect(policy.contract.robot).toBe('gridworld');
  await policy.dispose();
}, 240_000);

it('train --task refuses an agent that cannot act there, and a run that is none', async () => {
  const wrong = await cli('train', '--task', 'cartpole', '--agent', 'iq-sac', '--out', 'wrong');
  expect(wrong.code).not.toBe(0);
  expect(wrong.stderr).toContain('--agent iq-soft-q');
  const none = await cli('train', '--task', 'cartpole', '--resume', '--out', 'nowhere');
  expect(none.stderr).toContain('nowhere/training.json');
  expect(existsSync('wrong')).toBe(false);
}, 60_000);
