// Starts a learning process that is kept busy, prints its pid, and waits: to be killed by nodes-learner.test.ts.
import { Random } from '#src/common/index.js';
import { learnerConfig } from '#src/learning/index.js';
import { TrainingProcess } from '#src/training/index.js';

process.on('SIGINT', () => {});
const feature = { name: 'x', unit: 'm', low: -1, high: 1 };
const learning = await TrainingProcess.create({
  config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [8], batchSize: 8 }),
  contract: { robot: 'toy', rateHz: 10, observation: [feature], action: [feature] },
  seed: 1,
  demonstrations: [
    {
      length: 20,
      observations: new Random(1).fillNormal(new Float32Array(21)),
      actions: new Float32Array(20),
      terminated: false,
    },
  ],
  updatesPerTransition: 10_000,
  threads: 1,
});
learning.learn({
  length: 20,
  observations: new Float32Array(20),
  actions: new Float32Array(20),
  nextObservations: new Float32Array(20),
  terminated: new Uint8Array(20),
});
process.stdout.write(`${learning.pid}\n`);
setInterval(() => {}, 1000);
