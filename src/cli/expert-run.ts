import { exportNpz } from '../demonstrations/index.js';
import { chooseDevice, type Device, type NamedDevice } from '../engine/index.js';
import { Actor, type Metrics } from '../learning/index.js';
import {
  type EpisodeMetrics,
  loadCheckpoint,
  MetricMeans,
  MetricsLog,
  type MetricsSinkName,
  RunMetrics,
  saveCheckpoint,
} from '../platform/index.js';
import { encodeBundle, type PolicyContract, readBundle, writeBundle } from '../policy/index.js';
import { contractOf, loadRobotSpec, robotNames } from '../robot/index.js';
import { type Environment, type OpenEnvironment, openEnvironment } from '../simulation/index.js';
import {
  driveEpisodes,
  EnvironmentTrainer,
  EventLoopTurns,
  environmentContract,
  environmentPace,
  evaluateOnTask,
  type RunPlan,
  startLearner,
} from '../training/index.js';
import type { Io } from './command.js';
import type { Display } from './display.js';
import { expertPlan } from './expert-plan.js';
import type { OutputOptions } from './output.js';
import type { RunFolder } from './run-folder.js';

const EVALUATE_EVERY = 10_000;
export const EVALUATION_EPISODES = 5;
/** Steps from one row of metrics to the next. */
const LOG_EVERY = 1000;
const EVALUATION_SEED = 1_000_000;
/** The first start of the episodes that are recorded, far from those of training and evaluation. */
const RECORDING_SEED = 3_000_000;

/** The options of `iq-learn expert`. */
export interface ExpertOptions extends OutputOptions {
  readonly task: string;
  readonly steps?: number;
  readonly seed: number;
  readonly settings?: string;
  readonly name?: string;
  readonly resume: boolean;
  /** Episodes of the best policy to write as demonstrations. */
  readonly record?: number;
  readonly device: Device;
  readonly json?: string;
  readonly log: readonly MetricsSinkName[];
}

/** A run of `iq-learn expert` that has begun. */
export interface Run {
  readonly plan: RunPlan;
  readonly training: EnvironmentTrainer;
  /** The highest mean return of an evaluation so far. */
  best: number;
  /** Seconds of learning in earlier processes, where the run was resumed. */
  readonly secondsBefore: number;
  /** Returns of the episodes that were recorded. */
  recorded: readonly number[];
  /** When this process began to learn, by `performance.now`. */
  readonly startedMs: number;
}

const secondsOf = (run: Run): number => run.secondsBefore + (performance.now() - run.startedMs) / 1000;

/** The name of the environment that an option names: a robot's task, or the environment itself. */
function environmentName(task: string): string {
  return robotNames().includes(task) ? (loadRobotSpec(task).task ?? task) : task;
}

async function begin(
  options: ExpertOptions,
  environment: Environment,
  folder: RunFolder,
  device: NamedDevice,
  warn: (text: string) => void,
): Promise<Run> {
  const startedMs = performance.now();
  const plan = expertPlan(options, environment.discrete === true);
  if (options.resume) {
    const checkpoint = loadCheckpoint(folder.file('checkpoint'), (problem) => warn(problem.message));
    const { best, seconds } = checkpoint.meta;
    const training = await EnvironmentTrainer.resume(checkpoint, environment, { device, warn });
    return {
      plan,
      training,
      best: typeof best === 'number' ? best : Number.NEGATIVE_INFINITY,
      secondsBefore: typeof seconds === 'number' ? seconds : 0,
      recorded: [],
      startedMs,
    };
  }
  const { seed } = options;
  const learner = await startLearner({
    config: plan.config,
    observation: environment.observation.map((block) => ({ ...block, normalise: 'none' as const })),
    actionSize: environment.actionRange.size,
    seed,
    demonstrations: [],
    device,
  });
  const training = await EnvironmentTrainer.create({ learner, environment, seed, ...environmentPace(plan), warn });
  return { plan, training, best: Number.NEGATIVE_INFINITY, secondsBefore: 0, recorded: [], startedMs };
}

async function save(run: Run, folder: RunFolder): Promise<void> {
  const { meta, arrays } = await run.training.checkpoint();
  // Before the first evaluation `best` is −∞, for which JSON has no number.
  const best = Number.isFinite(run.best) ? run.best : null;
  saveCheckpoint(folder.file('checkpoint'), { meta: { ...meta, best, seconds: secondsOf(run) }, arrays });
}

/** Evaluates the present policy, and writes it as the run's policy where it is the best so far. */
async function evaluate(
  run: Run,
  task: string,
  contract: PolicyContract,
  evaluation: Environment,
  folder: RunFolder,
): Promise<readonly EpisodeMetrics[]> {
  const policy = run.training.learner.policyFunction();
  const actor = await Actor.create(policy);
  const episodes = await evaluateOnTask(actor, evaluation, { episodes: EVALUATION_EPISODES, seed: EVALUATION_SEED });
  await actor.dispose();
  const mean = meanReturn(episodes);
  if (mean <= run.best) return episodes;
  run.best = mean;
  const { steps, learner } = run.training;
  writeBundle(
    folder.file('policy'),
    await encodeBundle({
      policy,
      contract,
      version: learner.updates,
      training: {
        algorithm: learner.config.agent,
        task,
        steps,
        updates: learner.updates,
        evaluation_return: mean,
      },
    }),
  );
  return episodes;
}

const meanReturn = (episodes: readonly EpisodeMetrics[]): number =>
  episodes.reduce((sum, episode) => sum + episode.return, 0) / episodes.length;

function openMetrics({ training, secondsBefore }: Run, { log }: ExpertOptions, folder: RunFolder, display: Display) {
  const metrics = new MetricsLog({
    folder: folder.path,
    sinks: log,
    // A fresh run logs from the start; one that goes on keeps the row of its checkpoint's step, which was written before it.
    cutFrom: training.steps === 0 ? 0 : training.steps + 1,
    print: (table) => display.say(table),
    onProblem: ({ message }) => display.warn(message),
  });
  return { metrics, rows: new RunMetrics(metrics, { steps: training.steps, seconds: secondsBefore }) };
}

/** What the loop of learning works with beside the run itself. */
interface Surroundings {
  readonly io: Io;
  readonly folder: RunFolder;
  readonly display: Display;
  readonly task: string;
  readonly contract: PolicyContract;
  /** A second copy of the task, so that an evaluation does not disturb the episode that learning is in. */
  readonly evaluation: Environment;
  readonly rows: RunMetrics;
}

/** Learns until the last step or Ctrl-C, and evaluates and saves every {@link EVALUATE_EVERY} steps. */
async function learn(run: Run, surroundings: Surroundings): Promise<void> {
  const { io, folder, display, task, contract, evaluation, rows } = surroundings;
  const { training, plan } = run;
  const means = new MetricMeans();
  const returns: number[] = [];
  const from = training.steps;
  let evaluated: number | undefined;
  let losses: { criticLoss?: number; actorLoss?: number } = {};
  const turns = new EventLoopTurns();
  while (training.steps < plan.steps && !io.interrupt.signal.aborted) {
    const { metrics: measured, episode } = await training.step();
    if (measured !== undefined) {
      means.add(measured);
      losses = lossesOf(measured);
    }
    if (episode !== undefined) {
      returns.push(episode.return);
      rows.episode({ return: episode.return, length: episode.length });
    }
    const { steps, learner } = training;
    const due = steps % EVALUATE_EVERY === 0 || steps === plan.steps;
    const episodes = due ? await evaluate(run, task, contract, evaluation, folder) : [];
    if (due || steps % LOG_EVERY === 0)
      rows.learned({ steps, updates: learner.updates, seconds: secondsOf(run), train: means.take() }, episodes);
    if (due) {
      evaluated = meanReturn(episodes);
      await save(run, folder);
    }
    display.show({
      phase: 'learning',
      done: steps,
      total: plan.steps,
      unit: 'steps',
      perSecond: (steps - from) / (secondsOf(run) - run.secondsBefore),
      ...losses,
      ...(returns.length === 0 ? {} : { return: evaluated ?? returns.at(-1)!, returns }),
    });
    await turns.yieldNowAndThen();
  }
}

const lossesOf = (metrics: Metrics): { criticLoss?: number; actorLoss?: number } => ({
  criticLoss: metrics['train/critic_loss']!,
  ...(metrics['train/actor_loss'] === undefined ? {} : { actorLoss: metrics['train/actor_loss'] }),
});

/** Lets the best policy drive, and writes its episodes as demonstrations. All of them: nothing is selected. */
async function record(run: Run, episodes: number, environment: Environment, folder: RunFolder, display: Display) {
  const policy = await readBundle(folder.file('policy'));
  try {
    const returns: number[] = [];
    const driven = await driveEpisodes(environment, (observation) => policy.act(observation), {
      episodes,
      seed: RECORDING_SEED,
      onEpisode: (episode) => {
        returns.push(episode.return);
        display.show({ phase: 'recording', done: returns.length, total: episodes, unit: 'episodes', returns });
      },
    });
    exportNpz(folder.file('demonstrations.npz'), driven);
    run.recorded = returns;
  } finally {
    await policy.dispose();
  }
}

/** Learns with environments, metrics and checkpoints that are closed in every case. */
export async function train(options: ExpertOptions, io: Io, folder: RunFolder, display: Display): Promise<Run> {
  const name = environmentName(options.task);
  const robot = robotNames().includes(options.task);
  const { device, why } = await chooseDevice(options.device);
  const environment = await openEnvironment(name);
  let evaluation: OpenEnvironment | undefined;
  try {
    evaluation = await openEnvironment(name);
    display.say(why);
    const run = await begin(options, environment, folder, device, (text) => display.warn(text));
    const { metrics, rows } = openMetrics(run, options, folder, display);
    const contract = robot ? contractOf(loadRobotSpec(options.task)) : environmentContract(name, environment);
    try {
      await learn(run, { io, folder, display, task: name, contract, evaluation, rows });
      if (io.interrupt.signal.aborted) await save(run, folder);
      else if (options.record !== undefined) await record(run, options.record, evaluation, folder, display);
    } finally {
      metrics.close();
      await run.training.dispose();
    }
    return run;
  } finally {
    await environment.close();
    await evaluation?.close();
  }
}
