// A short training over nodes as a process of its own, to be killed: node training-run.mjs <folder> [resume|fresh] [signal version ms] [total transitions]
// It sends itself the signal so long after it told the version, so that whoever watches may be late.
// Says that it has started, every segment's metrics as a line of JSON, then the policy. Ctrl-C ends it as it ends the command line.
import { Random } from '#src/common/index.js';
import { learnerConfig } from '#src/learning/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { TrainingSession } from '#src/sessions/index.js';

const [folder, mode, signal, at, ms, total = '160'] = process.argv.slice(2);
const resume = mode === 'resume';
const spec = loadRobotSpec('hopper');
const abort = new AbortController();
process.once('SIGINT', () => abort.abort());
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const logger = () => ({ error() {}, warn: (message) => say({ warning: message }), info() {}, debug() {} });

/** Nobody drove it: what is learned does not matter here. */
function demonstration(length) {
  const random = new Random(7);
  const rows = (n, features) =>
    Float32Array.from({ length: n * features.length }, (_, i) => {
      const { low, high } = features[i % features.length];
      return random.uniform(Math.max(low, -1), Math.min(high, 1));
    });
  return {
    length,
    observations: rows(length + 1, spec.observation),
    actions: rows(length, spec.action),
    terminated: false,
  };
}

const session = await TrainingSession.create({
  spec,
  demonstrations: resume ? [] : [demonstration(60)],
  config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [8], batchSize: 8, bufferSize: 150, actorAveraging: 0.01 }),
  seed: 5,
  transitions: Number(total),
  segmentSize: 20,
  updatesPerTransition: 1.3,
  threads: 1,
  checkpoint: { folder, everySegments: 2 },
  resume,
  logger,
  signal: abort.signal,
  onProgress: ({ version, transitions, updates, metrics }) => {
    say({ version, transitions, updates, metrics });
    if (version === Number(at)) setTimeout(() => process.kill(process.pid, signal), Number(ms));
  },
  onRollout: ({ seed, return: sum, length, transitions }) => say({ rollout: { seed, sum, length, transitions } }),
});
say({ started: true });
const { bundle, interrupted, version, transitions, updates } = await session.run().finally(() => session.close());
const model = Buffer.from(bundle.model).toString('base64');
say({ outcome: { version, transitions, updates, interrupted, model, manifest: bundle.manifest } });
