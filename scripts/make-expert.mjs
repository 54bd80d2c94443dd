#!/usr/bin/env node
// Makes config/experts/ROBOT, the policy that demonstrates where no script can: behavioural cloning of ten episodes of an
// agent whose licence allows it (config/experts/README.md says which). The policy is written only if its mean return
// on 50 starts, which the data do not have, is at least nine tenths of the agent's.
// Usage: npm run build && node scripts/make-expert.mjs ROBOT DATA.npz [--updates N] [--seed N] [--out FOLDER]
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { vectorObservation } from '../dist/src/common/index.js';
import { importNpz } from '../dist/src/demonstrations/index.js';
import { behaviouralCloning } from '../dist/src/learning/index.js';
import { decodeBundle, encodeBundle, writeBundle } from '../dist/src/policy/index.js';
import { contractOf, loadRobotSpec } from '../dist/src/robot/index.js';
import { createTask } from '../dist/src/simulation/index.js';
import { evaluationSeeds } from '../dist/src/training/index.js';

const starts = 50;
const enough = 0.9;
const agents = {
  'hopper-v4.npz': "this project's own SAC agent (Apache-2.0)",
  'halfcheetah-v4.npz': "this project's own SAC agent (Apache-2.0)",
  'hopper-trpo.npz': 'TRPO agent of DLR-RM/rl-trained-agents (MIT)',
  'walker2d-trpo.npz': 'TRPO agent of DLR-RM/rl-trained-agents (MIT)',
  'ant-trpo.npz': 'TRPO agent of DLR-RM/rl-trained-agents (MIT)',
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    updates: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const [robot, data] = positionals;
const agent = agents[basename(data ?? '')];
if (agent === undefined) throw new Error(`give ROBOT and one of ${Object.keys(agents).join(', ')}`);
const [updates, seed, folder] = [Number(values.updates), Number(values.seed), values.out ?? `config/experts/${robot}`];

const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** Returns and lengths of the policy's episodes, one from each seed. */
async function drive(runtime, task, seeds) {
  const episodes = [];
  for (const start of seeds) {
    let [observation, total, steps, done] = [task.reset(start), 0, 0, false];
    while (!done) {
      const step = task.step(await runtime.act(observation));
      [observation, total, steps] = [step.observation, total + step.reward, steps + 1];
      done = step.terminated || step.truncated;
    }
    episodes.push({ total, steps });
  }
  return episodes;
}

const spec = loadRobotSpec(robot);
const episodes = importNpz(data);
const policy = await behaviouralCloning({
  episodes,
  observation: vectorObservation(spec.observation.length),
  actionSize: spec.action.length,
  seed,
  updates,
  onProgress: (update, loss) => {
    if (update % 2000 === 0) console.log(`${update}/${updates} loss ${loss.toFixed(5)}`);
  },
});
const training = {
  ...{ robot, algorithm: 'behavioural-cloning', seed, updates, demonstrations: episodes.length },
  ...{ agent, data: basename(data) },
};
const bundle = await encodeBundle({ policy, contract: contractOf(spec), version: 1, training });
const runtime = await decodeBundle(bundle);
const task = await createTask(spec.task);
const driven = await drive(runtime, task, evaluationSeeds(seed, starts));
task.close();
await runtime.dispose();

const theirs = mean(episodes.map(({ rewards }) => rewards.reduce((sum, reward) => sum + reward, 0)));
const ours = mean(driven.map(({ total }) => total));
const lowest = Math.min(...driven.map(({ total }) => total));
const short = driven.filter(({ steps }) => steps < task.maxSteps).length;
console.log(
  `${starts} starts: mean return ${ours.toFixed(0)}, ${percent(ours / theirs)} of the agent's ${theirs.toFixed(0)}; ` +
    `lowest ${lowest.toFixed(0)}; ${short} ended early`,
);
if (ours >= enough * theirs) {
  writeBundle(folder, bundle);
  console.log(`written to ${folder}`);
} else {
  console.log(`not written: less than ${percent(enough)} of the agent`);
  process.exitCode = 1;
}
