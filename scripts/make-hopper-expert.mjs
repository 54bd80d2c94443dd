#!/usr/bin/env node
// Makes config/experts/hopper, the policy that demonstrates where no script can: behavioural cloning of ten episodes of
// this project's own SAC expert (hopper-v4.npz). Usage: npm run build && node scripts/make-hopper-expert.mjs DATA.npz [FOLDER]
import { importNpz } from '../dist/src/demonstrations/index.js';
import { behaviouralCloning } from '../dist/src/learning/index.js';
import { encodeBundle, writeBundle } from '../dist/src/policy/index.js';
import { contractOf, loadRobotSpec } from '../dist/src/robot/index.js';

const [data, folder = 'config/experts/hopper'] = process.argv.slice(2);
const seed = 1;
const updates = 20_000;
const episodes = importNpz(data);
const policy = await behaviouralCloning({
  episodes,
  observationSize: 11,
  actionSize: 3,
  seed,
  updates,
  onProgress: (update, loss) => console.log(`${update}/${updates} loss ${loss.toFixed(5)}`),
});
const training = { robot: 'hopper', algorithm: 'behavioural-cloning', seed, updates, demonstrations: episodes.length };
writeBundle(
  folder,
  await encodeBundle({ policy, contract: contractOf(loadRobotSpec('hopper')), version: 1, training }),
);
