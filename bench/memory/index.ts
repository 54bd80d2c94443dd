import { readFileSync } from 'node:fs';
import { Random, vectorObservation } from '../../src/common/index.js';
import {
  Actor,
  identityNormalisation,
  Learner,
  type LearnerTransition,
  learnerConfig,
} from '../../src/learning/index.js';
import { encodeBundle } from '../../src/policy/index.js';
import { contractOf, loadRobotSpec } from '../../src/robot/index.js';
import { type BenchResult, benchResult, type Figure, median, progress } from '../harness.js';
import { watchLoad } from '../load.js';
import { parseOptions } from '../options.js';
import { lineThrough } from './regression.js';

const OPTIONS = {
  minutes: { default: 30, help: 'minutes of updates once the buffer is full' },
  transitions: { default: 1_000_000, help: 'capacity of the replay buffer, filled first' },
  every: { default: 10, help: 'seconds between two samples' },
  bundles: { default: 1000, help: 'updates between two policy bundles, as a learner node sends them' },
  settle: { default: 0.2, help: 'share of the time, at its start, that the growth is not taken over' },
  threads: { default: 2, help: 'threads of the learner' },
} as const;

const MIB = 2 ** 20;
const EPISODE = 1000;

/** Memory in MiB that only this process holds, NaN where Linux does not report it. The rest of the resident set are pages of files, such as libraries. */
function anonymous(): number {
  try {
    return Number(/^RssAnon:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Makes random observations, actions and transitions of the given sizes. */
function randomData(observationSize: number, actionSize: number) {
  const random = Random.derive(1, 'bench');
  const normal = (size: number): Float32Array => random.fillNormal(new Float32Array(size));
  return {
    observation: () => normal(observationSize),
    noise: () => normal(actionSize),
    episode: () => ({
      length: EPISODE,
      observations: normal((EPISODE + 1) * observationSize),
      actions: normal(EPISODE * actionSize).map(Math.tanh),
      terminated: false,
    }),
    transition: (action: Float32Array): LearnerTransition => ({
      observation: normal(observationSize),
      action,
      nextObservation: normal(observationSize),
      terminated: random.uniform(0, 1) < 0.01,
    }),
  };
}

const COLUMNS = [
  'minutes',
  'rss_mib',
  'heap_used_mib',
  'external_mib',
  'array_buffers_mib',
  'updates',
  'anonymous_mib',
];

/** Measures a row of {@link COLUMNS}. Time counts from `began`, which `performance.now` gave. */
function sample(began: number, updates: number): number[] {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const minutes = (performance.now() - began) / 60_000;
  return [minutes, rss / MIB, heapUsed / MIB, external / MIB, arrayBuffers / MIB, updates, anonymous()];
}

/** Measures the memory, and its growth, of a learner that goes on learning with a full replay buffer of the hopper's sizes. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('memory', args, OPTIONS);
  const load = watchLoad();
  const contract = contractOf(loadRobotSpec('hopper'));
  const [o, a] = [contract.observation.length, contract.action.length];
  const atStart = process.memoryUsage.rss() / MIB;
  const learner = await Learner.create({
    config: learnerConfig({ agent: 'iq-sac', bufferSize: options.transitions }),
    observation: vectorObservation(o),
    actionSize: a,
    normalisation: identityNormalisation(o),
    seed: 1,
    threads: options.threads,
  });
  const made = randomData(o, a);
  learner.addDemonstration(made.episode());
  for (let i = 0; i < options.transitions; i++) learner.addTransition(made.transition(made.noise().map(Math.tanh)));
  const filled = process.memoryUsage.rss() / MIB;
  progress(`${options.transitions} transitions: ${filled.toFixed(0)} MiB`);

  const actor = await Actor.create(learner.policyFunction());
  const began = performance.now();
  const rows = [sample(began, learner.updates)];
  let reported = began;
  for (let due = began + options.every * 1000; ; ) {
    // One control step as in training: act, store over the oldest, update, hand the new policy to the actor.
    learner.addTransition(made.transition(await actor.act(made.observation(), made.noise())));
    await learner.update();
    actor.load(learner.policyFunction());
    if (learner.updates % options.bundles === 0)
      await encodeBundle({ policy: learner.policyFunction(), contract, version: learner.updates });
    const now = performance.now();
    const over = now - began >= options.minutes * 60_000;
    if (now >= due || over) {
      rows.push(sample(began, learner.updates));
      due = now + options.every * 1000;
      await new Promise(setImmediate);
    }
    if (over || now - reported > 60_000) {
      const [minutes, rss] = rows.at(-1)!;
      progress(`${minutes!.toFixed(1)} of ${options.minutes} min: ${rss!.toFixed(0)} MiB, ${learner.updates} updates`);
      reported = now;
    }
    if (over) break;
  }
  await actor.dispose();
  await learner.dispose();
  return benchResult('memory', args, [...figuresOf(rows, { atStart, filled, ...options }), ...load()], {
    curves: [{ name: 'memory', columns: COLUMNS, rows }],
  });
}

function figuresOf(
  rows: readonly (readonly number[])[],
  given: { readonly atStart: number; readonly filled: number; readonly settle: number; readonly transitions: number },
): Figure[] {
  const rss = rows.map((row) => row[1]!);
  const end = rows.at(-1)![0]!;
  const settled = rows.filter(([minutes]) => minutes! >= given.settle * end);
  const third = Math.ceil(settled.length / 3);
  const growth = (name: string, column: number): Figure[] => {
    const levels = settled.map((row) => row[column]!);
    const { slope, error } = lineThrough(settled.map((row) => [row[0]! / 60, row[column]!]));
    const since = `regression after the first ${(given.settle * end).toFixed(1)} min, ± ${error.toFixed(2)} (standard error)`;
    const step = median(levels.slice(-third)) - median(levels.slice(0, third));
    return [
      { name, value: slope, unit: 'MiB/h', note: since },
      { name: `${name}, last third over first`, value: step, unit: 'MiB', note: `medians of ${third} samples each` },
    ];
  };
  return [
    { name: 'resident set at the start', value: given.atStart, unit: 'MiB', note: 'modules loaded, no learner' },
    { name: 'resident set with the buffer full', value: given.filled, unit: 'MiB', note: `${given.transitions} rows` },
    { name: 'resident set, highest', value: Math.max(...rss), unit: 'MiB', note: 'of all samples while learning' },
    { name: 'resident set, median', value: median(rss), unit: 'MiB' },
    ...growth('growth', 1),
    ...(rows.every((row) => row[6]! >= 0) ? growth('growth, anonymous memory', 6) : []),
    { name: 'time', value: end, unit: 'min' },
    { name: 'updates', value: rows.at(-1)![5]!, unit: 'updates' },
  ];
}
