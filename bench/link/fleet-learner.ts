import { setTimeout as sleep } from 'node:timers/promises';
import { IqLearnError, Random } from '../../src/common/index.js';
import { chooseDevice } from '../../src/engine/index.js';
import { LearnerHost, openLearnerLink } from '../../src/hosts/plain/index.js';
import { fact } from '../../src/messages/index.js';
import type { Logger } from '../../src/platform/index.js';
import { contractOf, loadRobotSpec } from '../../src/robot/index.js';
import { learningEpisode, trainingSettings, usableDemonstrations } from '../../src/sessions/index.js';
import { runPlan, TrainingProcess } from '../../src/training/index.js';
import { quantile } from '../harness.js';
import { childrenOf, usage } from './processes.js';

// The learner of a fleet, as `iq-learn serve` has it: fleet-learner.js LINK RECORDING RUN RATE SHARE. RATE are the fleet's
// transitions per second. Says `alone U`, its updates per second while no robot is there; then pays for SHARE of that in
// updates per transition, and says `ready`. At each line on stdin it says `window JSON`: what came since the line before.

const [linkFile, recording, run, rate, share] = process.argv.slice(2) as [string, string, string, string, string];
const ALONE_S = 20;
const spec = loadRobotSpec('rover');
const logger = (): Logger =>
  ({ info() {}, warn: console.error, error: console.error, debug() {} }) as unknown as Logger;
const settings = { ...trainingSettings(spec.task), segmentSize: 4096 };

/** Updates of a learner that has nothing else beside it, per second and per second of its CPU time. */
async function alone(): Promise<{ readonly perSecond: number; readonly perCpuSecond: number }> {
  const episodes = await usableDemonstrations(spec, [recording], () => {});
  const demonstrations = episodes.map((episode) => learningEpisode(episode, spec));
  const client = await TrainingProcess.create({
    config: runPlan(settings).config,
    contract: contractOf(spec),
    seed: 1,
    demonstrations,
    updatesPerTransition: 1,
    threads: 1,
  });
  let began = { updates: 0, ms: 0, cpu: 0 };
  let ended = false;
  let now = began;
  const [pid] = childrenOf(process.pid);
  client.listen({
    progress: ({ updates }) => {
      now = { updates, ms: performance.now(), cpu: usage(pid!)?.cpu ?? Number.NaN };
      // The first segment warms up.
      if (began.ms === 0) began = now;
    },
    warning: () => {},
    failure: (error) => {
      if (!ended) throw error;
    },
  });
  const [o, a] = [spec.observation.length, spec.action.length];
  const random = new Random(1);
  const length = 64;
  const numbers = (size: number): Float32Array =>
    Float32Array.from({ length: length * size }, () => random.uniform(-1, 1));
  for (let i = 0; i < 200; i++)
    client.learn({
      length,
      observations: numbers(o),
      actions: numbers(a),
      nextObservations: numbers(o),
      terminated: new Uint8Array(length),
      demonstrated: new Uint8Array(length),
    });
  await sleep(ALONE_S * 1000);
  ended = true;
  await client.kill();
  if (now.ms <= began.ms) throw new IqLearnError('UNAVAILABLE', 'the learner made no progress alone');
  const updates = now.updates - began.updates;
  return { perSecond: (1000 * updates) / (now.ms - began.ms), perCpuSecond: updates / (now.cpu - began.cpu) };
}

/** Without updates the learner alone need not be measured. */
const speed = Number(share) === 0 ? { perSecond: Number.NaN, perCpuSecond: Number.NaN } : await alone();
process.stdout.write(`alone ${JSON.stringify(speed)}\n`);
const host = await LearnerHost.start({
  spec,
  link: openLearnerLink(linkFile),
  settings: {
    ...settings,
    updatesPerTransition: Number(share) === 0 ? 0 : (Number(share) * speed.perSecond) / Number(rate),
  },
  recordings: [recording],
  run,
  seed: 1,
  device: await chooseDevice('cpu'),
  logger,
});
const { learner } = host;
let lags: number[] = [];
const takeSlice = learner.takeSlice.bind(learner);
learner.takeSlice = (slice) => {
  const now = Date.now() / 1000;
  for (let row = slice.from; row < slice.to; row++)
    lags.push(now - slice.rows.fact(row, fact.sec) - slice.rows.fact(row, fact.nanosec) / 1e9);
  takeSlice(slice);
};
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
process.stdout.write('ready\n');
process.stdin.on('data', () => {
  const { updates, transitions } = learner.progress;
  const window = {
    ms: performance.now(),
    updates,
    learned: transitions,
    backlog: learner.backlog,
    records: sum(host.robots.map(({ records }) => records)),
    refused: sum(host.robots.map(({ refused }) => refused)),
    admitted: sum(host.fleet.map(({ admitted }) => Number(admitted))),
    lag: lags.length === 0 ? null : [quantile(lags, 0.5), quantile(lags, 0.99), lags.length],
  };
  lags = [];
  process.stdout.write(`window ${JSON.stringify(window)}\n`);
});
process.stdin.once('end', () => process.exit(0));
