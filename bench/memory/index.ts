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

/** What only this process holds, MiB, where Linux tells; the rest of the resident set are pages of files, e.g. libraries. */
function anonymous(): number {
  try {
    return Number(/^RssAnon:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Resident set of a learner with a full replay buffer of the hopper's sizes that goes on learning, and its growth. */
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
  const random = Random.derive(1, 'bench');
  const normal = (size: number): Float32Array => random.fillNormal(new Float32Array(size));
  learner.addDemonstration({
    length: EPISODE,
    observations: normal((EPISODE + 1) * o),
    actions: normal(EPISODE * a).map(Math.tanh),
    terminated: false,
  });
  const transition = (action: Float32Array): LearnerTransition => ({
    observation: normal(o),
    action,
    nextObservation: normal(o),
    terminated: random.uniform(0, 1) < 0.01,
  });
  for (let i = 0; i < options.transitions; i++) learner.addTransition(transition(normal(a).map(Math.tanh)));
  const filled = process.memoryUsage.rss() / MIB;
  progress(`${options.transitions} transitions: ${filled.toFixed(0)} MiB`);

  const actor = await Actor.create(learner.policyFunction());
  const began = performance.now();
  const rows: number[][] = [];
  const sample = (): void => {
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const minutes = (performance.now() - began) / 60_000;
    rows.push([minutes, rss / MIB, heapUsed / MIB, external / MIB, arrayBuffers / MIB, learner.updates, anonymous()]);
  };
  sample();
  let reported = began;
  for (let due = began + options.every * 1000; ; ) {
    // One control step as in training: act, store over the oldest, update, hand the new policy to the actor.
    const action = await actor.act(normal(o), normal(a));
    learner.addTransition(transition(action));
    await learner.update();
    actor.load(learner.policyFunction());
    if (learner.updates % options.bundles === 0)
      await encodeBundle({ policy: learner.policyFunction(), contract, version: learner.updates });
    const now = performance.now();
    const over = now - began >= options.minutes * 60_000;
    if (now >= due || over) {
      sample();
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
    curves: [
      {
        name: 'memory',
        columns: [
          'minutes',
          'rss_mib',
          'heap_used_mib',
          'external_mib',
          'array_buffers_mib',
          'updates',
          'anonymous_mib',
        ],
        rows,
      },
    ],
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
