import { chooseDevice } from '../../src/engine/index.js';
import { LearnerHost, openLearnerLink } from '../../src/hosts/plain/index.js';
import { fact } from '../../src/messages/index.js';
import type { Logger } from '../../src/platform/index.js';
import { loadRobotSpec } from '../../src/robot/index.js';
import { trainingSettings } from '../../src/sessions/index.js';
import { quantile } from '../harness.js';

// The learner of a fleet, as `iq-learn serve` has it: fleet-learner.js LINK RECORDING RUN UPDATES, the last for each
// transition. Says `ready`. At each line on stdin it says `window JSON`: what came since the line before.

const [linkFile, recording, run, updatesPerTransition] = process.argv.slice(2) as [string, string, string, string];
const spec = loadRobotSpec('rover');
const logger = (): Logger =>
  ({ info() {}, warn: console.error, error: console.error, debug() {} }) as unknown as Logger;

const host = await LearnerHost.start({
  spec,
  link: openLearnerLink(linkFile),
  settings: { ...trainingSettings(spec.task), segmentSize: 4096, updatesPerTransition: Number(updatesPerTransition) },
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
