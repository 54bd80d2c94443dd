import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { IqLearnError } from '../../../common/index.js';
import type { LearnerStatus, PolicyBundleMessage } from '../../../messages/index.js';
import { topics } from '../../../nodes/index.js';
import { type Logger, timestamp } from '../../../platform/index.js';
import { writeBundle } from '../../../policy/index.js';
import type { RobotSpec } from '../../../robot/index.js';
import { startSeed, trainingSettings } from '../../../sessions/index.js';
import { qos, type Transport } from '../../../transport/index.js';
import { program } from '../executable.js';
import { Peers } from '../peers.js';
import { type Outcome, TaskWatch } from '../task-watch.js';

const schema = z.strictObject({
  demonstrations: z.int().min(0).max(1000).default(0).describe("Episodes the expert shows; 0: the robot's own."),
  steps: z.int().min(0).max(10_000_000).default(0).describe("Own steps the policy learns from; 0: the robot's own."),
  episodes: z.int().min(0).max(10_000).default(0).describe("Fresh starts of the evaluation; 0: the robot's own."),
  warmStartUpdates: z
    .int()
    .min(-1)
    .max(1_000_000)
    .default(-1)
    .describe("Updates of behavioural cloning the policy starts from; -1: the robot's own."),
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Of starts, networks and batches.'),
  run: z
    .string()
    .default('')
    .describe('A new folder for recording, checkpoint and policy; empty: runs/<robot>-<date>-<seed>.'),
});

/** Preparing takes as long as the slowest part of a machine under load; learning starts with cloning. */
const PREPARING_MS = 120_000;
const CLONING_MS = 900_000;
/** So that all publishers and subscribers have found each other. */
const SETTLE_MS = 2000;
const MAX_FAILURES = 20;
const TOLD_EVERY = 10;

interface Demo {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  readonly peers: Peers;
  readonly watch: TaskWatch;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly seed: number;
  readonly run: string;
}

type Task = { readonly tour?: boolean; readonly maxSteps?: number } | undefined;

async function prepareRobot({ peers }: Demo, task: Task): Promise<void> {
  await peers.bring(
    'simulator',
    { pace: 'lockstep', tour: task?.tour ?? false, max_steps: task?.maxSteps ?? 0 },
    PREPARING_MS,
  );
}

/** Records episodes of the expert; those without success are thrown away where the task knows success. */
async function demonstrate(demo: Demo, wanted: number, hasSuccess: boolean, task: Task): Promise<void> {
  const { peers, watch, logger, signal, seed, run } = demo;
  await prepareRobot(demo, task);
  await peers.bring('recorder', { recordings: run, session: 'recording', check_topics: false }, PREPARING_MS);
  await peers.bring('expert', { engaged: true }, PREPARING_MS);
  await peers.bring('policy', { pace: 'lockstep', source: 'teleop', policy: '' }, PREPARING_MS);
  await sleep(SETTLE_MS, undefined, { signal });
  for (let i = 0, kept = 0, failures = 0; kept < wanted; i++) {
    const start = startSeed(seed, 'demonstration', i);
    await peers.startEpisode('recorder', start);
    await peers.startEpisode('expert', start);
    const outcome = await watch.outcome(await peers.startEpisode('simulator', start), signal);
    const keep = outcome.success || !hasSuccess;
    await peers.trigger('recorder', keep ? 'stop_episode' : 'discard_episode');
    if (keep) kept++;
    failures = keep ? 0 : failures + 1;
    logger.info(`demonstration ${kept} of ${wanted}`, {
      return: rounded(outcome.return),
      steps: outcome.length,
      kept: keep,
    });
    if (failures === MAX_FAILURES)
      throw new IqLearnError('UNAVAILABLE', 'the expert does not succeed', { found: `${failures} failures in a row` });
  }
  await peers.end('policy');
  await peers.end('expert');
  await peers.end('recorder');
}

/** Drives and learns until the policy has made `steps` steps of its own; leaves the policy in the run's folder. */
async function learn(demo: Demo, steps: number, warmStart: number): Promise<void> {
  const { spec, transport, peers, watch, logger, signal, seed, run } = demo;
  const { segmentSize, updatesPerTransition, learningTask } = trainingSettings(spec.task);
  const settings = {
    recording: [join(run, 'recording')],
    run,
    resume: false,
    seed,
    segment_size: segmentSize,
    'learner.decay_updates': Math.max(1, Math.round(steps * updatesPerTransition)),
    ...(warmStart < 0 ? {} : { 'learner.warm_start_updates': warmStart }),
  };
  const segments = Math.ceil(steps / segmentSize);
  let status: LearnerStatus | undefined;
  let newest: PolicyBundleMessage | undefined;
  let told = 0n;
  const over = new AbortController();
  const look = (): void => {
    if (newest?.version === BigInt(segments)) over.abort();
  };
  const statuses = transport.subscribe(
    topics.learnerStatus,
    'iq_learn/msg/LearnerStatus',
    (message) => {
      status = message;
      look();
    },
    qos.event,
  );
  const policies = transport.subscribe(
    topics.policy,
    'iq_learn/msg/PolicyBundle',
    (bundle) => {
      newest = bundle;
      look();
    },
    { ...qos.latched, depth: 10 },
  );
  try {
    logger.info('the learner prepares: it reads the recording and starts from behavioural cloning');
    await peers.bring('learner', settings, CLONING_MS);
    await prepareRobot(demo, learningTask);
    const driving = { source: 'policy', stochastic: true, explore: 'random', synchronous_segment: segmentSize };
    await peers.bring(
      'policy',
      { pace: 'lockstep', policy: '', seed, transition_limit: segments * segmentSize, ...driving },
      PREPARING_MS,
    );
    await sleep(SETTLE_MS, undefined, { signal });
    const recent: Outcome[] = [];
    // The policy stands still after its last step, wherever in an episode that is.
    const ending = AbortSignal.any([signal, over.signal]);
    for (let i = 0; !over.signal.aborted; i++) {
      const episode = await peers.startEpisode('simulator', startSeed(seed, 'training', i));
      const outcome = await watch.outcome(episode, ending).catch((error) => {
        if (!over.signal.aborted || signal.aborted) throw error;
      });
      if (outcome === undefined) break;
      recent.push(outcome);
      if (recent.length > TOLD_EVERY) recent.shift();
      const { policy_version: version = 0n, transitions = 0n, updates_per_second: rate = 0 } = status ?? {};
      if (version < told + BigInt(TOLD_EVERY)) continue;
      told = version;
      logger.info(`learning: ${transitions} of ${segments * segmentSize} steps`, {
        policy: String(version),
        return: rounded(mean(recent.map((outcome) => outcome.return))),
        updates_per_second: rounded(rate),
      });
    }
    await peers.end('policy');
    await peers.trigger('learner', 'save');
    await peers.end('learner');
    // It would prepare to learn the same again.
    await peers.set('learner', { recording: [] });
    if (newest !== undefined) writeBundle(join(run, 'policy'), { model: newest.model, manifest: newest.manifest });
  } finally {
    statuses.close();
    policies.close();
  }
}

async function evaluate(
  demo: Demo,
  name: string,
  driving: Parameters<Peers['bring']>[1],
  episodes: number,
): Promise<Outcome[]> {
  const { peers, watch, logger, signal, seed } = demo;
  await prepareRobot(demo, undefined);
  const byExpert = driving.source === 'teleop';
  if (byExpert) await peers.bring('expert', { engaged: true }, PREPARING_MS);
  const still = { pace: 'lockstep', stochastic: false, synchronous_segment: 0, transition_limit: 0, explore: 'hold' };
  await peers.bring('policy', { ...still, ...driving }, PREPARING_MS);
  await sleep(SETTLE_MS, undefined, { signal });
  const outcomes: Outcome[] = [];
  for (let i = 0; i < episodes; i++) {
    const start = startSeed(seed, 'evaluation', i);
    if (byExpert) await peers.startEpisode('expert', start);
    outcomes.push(await watch.outcome(await peers.startEpisode('simulator', start), signal));
  }
  await peers.end('policy');
  if (byExpert) await peers.end('expert');
  logger.info(`evaluated: ${name}`, { episodes });
  return outcomes;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const rounded = (value: number): number => Math.round(value * 100) / 100;

function table(rows: readonly (readonly [string, readonly Outcome[]])[], hasSuccess: boolean): string {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(8) : cell.padStart(10))).join('  ');
  const head = ['driver', ...(hasSuccess ? ['success'] : []), 'return', 'steps', 'episodes'];
  const body = rows.map(([name, outcomes]) => [
    name,
    ...(hasSuccess ? [`${Math.round(100 * mean(outcomes.map(({ success }) => Number(success))))} %`] : []),
    mean(outcomes.map((outcome) => outcome.return)).toFixed(2),
    mean(outcomes.map(({ length }) => length)).toFixed(1),
    String(outcomes.length),
  ]);
  return [head, ...body].map(line).join('\n');
}

/** runs/rover-20260102-030405-0 */
function newRun(given: string, robot: string, seed: number): string {
  const run = resolve(given === '' ? join('runs', `${robot}-${timestamp()}-${seed}`) : given);
  if (existsSync(run))
    throw new IqLearnError('CONFLICT', `the folder ${run} is there already`, { remedy: 'give another one as run' });
  return run;
}

export const demo = program({
  name: 'demo',
  summary: 'conducts the other five: demonstrate, learn, deploy; ends with a table and a policy',
  schema: () => schema,
  async run({ ros, spec, parameters, logger, signal }) {
    const { transport } = ros;
    const settings = trainingSettings(spec.task);
    const { hasSuccess, demonstrationTask } = settings;
    const { seed, warmStartUpdates } = parameters;
    const steps = parameters.steps || settings.steps;
    const episodes = parameters.episodes || settings.evaluationEpisodes;
    const run = newRun(parameters.run, spec.robot, seed);
    const watch = new TaskWatch(transport);
    const demo: Demo = { spec, transport, peers: new Peers(transport, signal), watch, logger, signal, seed, run };
    await demonstrate(demo, parameters.demonstrations || settings.demonstrations, hasSuccess, demonstrationTask);
    await learn(demo, steps, warmStartUpdates);
    const policy = join(run, 'policy');
    const learned = await evaluate(demo, 'policy', { source: 'policy', policy }, episodes);
    const shown = await evaluate(demo, 'expert', { source: 'teleop', policy: '' }, episodes);
    watch.close();
    process.stdout.write(
      `\n${table(
        [
          ['expert', shown],
          ['policy', learned],
        ],
        hasSuccess,
      )}\n\npolicy: ${policy}\ndeploy: ros2 launch iq_learn deploy.launch.py robot:=${spec.robot} policy:=${policy}\n`,
    );
    return 0;
  },
});
