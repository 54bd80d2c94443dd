import { setTimeout as sleep } from 'node:timers/promises';
import { IqLearnError, Random } from '../../src/common/index.js';
import { contractOf, loadRobotSpec } from '../../src/robot/index.js';
import { learningEpisode, trainingSettings, usableDemonstrations } from '../../src/sessions/index.js';
import { runPlan, TrainingProcess } from '../../src/training/index.js';
import type { Alone } from './fleet.js';
import { childrenOf, usage } from './processes.js';

// The learner of a fleet while no robot is there: fleet-alone.js RECORDING says `alone JSON`, its updates per second, and per
// second of its CPU time.

const [recording] = process.argv.slice(2) as [string];
const ALONE_S = 20;
const spec = loadRobotSpec('rover');

async function alone(): Promise<Alone> {
  const episodes = await usableDemonstrations(spec, [recording], () => {});
  const demonstrations = episodes.map((episode) => learningEpisode(episode, spec));
  const client = await TrainingProcess.create({
    config: runPlan(trainingSettings(spec.task)).config,
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

process.stdout.write(`alone ${JSON.stringify(await alone())}\n`, () => process.exit(0));
