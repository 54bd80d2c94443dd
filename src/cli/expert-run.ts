import { chooseDevice, type Device, type NamedDevice } from '../engine/index.js';
import { Actor, type LearnerSettings } from '../learning/index.js';
import {
  type EpisodeMetrics,
  loadCheckpoint,
  MetricMeans,
  MetricsLog,
  type MetricsSinkName,
  RunMetrics,
  saveCheckpoint,
} from '../platform/index.js';
import { encodeBundle, writeBundle } from '../policy/index.js';
import { contractOf, loadRobotSpec, type RobotSpec } from '../robot/index.js';
import { trainingSettings, withSettingsFile } from '../sessions/index.js';
import { createTask, type Environment, environmentOf, type Task } from '../simulation/index.js';
import {
  EnvironmentTrainer,
  environmentPace,
  evaluateOnTask,
  type RunPlan,
  runPlan,
  startLearner,
} from '../training/index.js';
import type { Io } from './command.js';
import type { Display } from './display.js';
import type { OutputOptions } from './output.js';
import type { RunFolder } from './run-folder.js';

const EVALUATE_EVERY = 10_000;
export const EVALUATION_EPISODES = 5;
/** Steps from one row of metrics to the next. */
const LOG_EVERY = 1000;
const EVALUATION_SEED = 1_000_000;
/** So many first steps take uniformly random actions, as in the SAC paper; in short runs a quarter of them. */
const RANDOM_STEPS = 5000;
const STEPS = 200_000;
/** The settings of the SAC paper, with a learned temperature. */
const EXPERT_SETTINGS = {
  agent: 'sac',
  critics: 2,
  learnTemperature: true,
  temperature: 0.2,
  actorLearningRate: 3e-4,
  temperatureLearningRate: 3e-4,
} as const satisfies LearnerSettings;

/** The options of `iq-learn expert`. */
export interface ExpertOptions extends OutputOptions {
  readonly task: string;
  readonly steps?: number;
  readonly seed: number;
  readonly settings?: string;
  readonly name?: string;
  readonly resume: boolean;
  readonly device: Device;
  readonly json?: string;
  readonly log: readonly MetricsSinkName[];
}

/** The options with the plan that follows from them. */
export interface PlannedOptions extends ExpertOptions {
  readonly plan: RunPlan;
}

/** A run of `iq-learn expert` that has begun. */
export interface Run {
  readonly training: EnvironmentTrainer;
  /** The highest mean return of an evaluation so far. */
  best: number;
  /** Seconds of learning in earlier processes, where the run was resumed. */
  readonly secondsBefore: number;
  /** When this process began to learn, by `performance.now`. */
  readonly startedMs: number;
}

const secondsOf = (run: Run): number => run.secondsBefore + (performance.now() - run.startedMs) / 1000;

/** The course of a run: the paper's settings with a settings file over them, and the steps of the command line over both. */
export function expertPlan({
  task,
  settings: file,
  steps,
}: Pick<ExpertOptions, 'task' | 'settings' | 'steps'>): RunPlan {
  const { randomSteps: _, ...own } = trainingSettings(loadRobotSpec(task).task);
  const settings = withSettingsFile({ ...own, steps: STEPS, updatesPerTransition: 1, config: EXPERT_SETTINGS }, file);
  const length = steps ?? settings.steps;
  const bufferSize = Math.min(1_000_000, Math.max(length, 1000));
  return runPlan({
    ...settings,
    steps: length,
    randomSteps: settings.randomSteps ?? Math.min(RANDOM_STEPS, Math.ceil(length / 4)),
    config: { bufferSize, ...settings.config },
  });
}

async function begin(
  options: PlannedOptions,
  task: Task,
  folder: RunFolder,
  device: NamedDevice,
  warn: (text: string) => void,
): Promise<Run> {
  const environment = environmentOf(task);
  const startedMs = performance.now();
  if (options.resume) {
    const checkpoint = loadCheckpoint(folder.file('checkpoint'), (problem) => warn(problem.message));
    const { best, seconds } = checkpoint.meta;
    const training = await EnvironmentTrainer.resume(checkpoint, environment, { device });
    return {
      training,
      best: typeof best === 'number' ? best : Number.NEGATIVE_INFINITY,
      secondsBefore: typeof seconds === 'number' ? seconds : 0,
      startedMs,
    };
  }
  const { plan, seed } = options;
  const learner = await startLearner({
    config: plan.config,
    observation: environment.observation.map((block) => ({ ...block, normalise: 'none' as const })),
    actionSize: environment.actionRange.size,
    seed,
    demonstrations: [],
    device,
  });
  const training = await EnvironmentTrainer.create({ learner, environment, seed, ...environmentPace(plan) });
  return { training, best: Number.NEGATIVE_INFINITY, secondsBefore: 0, startedMs };
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
  spec: RobotSpec,
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
      contract: contractOf(spec),
      version: learner.updates,
      training: {
        algorithm: learner.config.agent,
        task: spec.task ?? '',
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
  readonly options: PlannedOptions;
  readonly io: Io;
  readonly folder: RunFolder;
  readonly display: Display;
  readonly spec: RobotSpec;
  /** A second copy of the task, so that an evaluation does not disturb the episode that learning is in. */
  readonly evaluation: Environment;
  readonly rows: RunMetrics;
}

/** Learns until the last step or Ctrl-C, and evaluates and saves every {@link EVALUATE_EVERY} steps. */
async function learn(run: Run, { options, io, folder, display, spec, evaluation, rows }: Surroundings): Promise<void> {
  const { training } = run;
  const means = new MetricMeans();
  const returns: number[] = [];
  const from = training.steps;
  let evaluated: number | undefined;
  let losses: { criticLoss?: number; actorLoss?: number } = {};
  while (training.steps < options.plan.steps && !io.interrupt.signal.aborted) {
    const { metrics: measured, episode } = await training.step();
    if (measured !== undefined) {
      means.add(measured);
      losses = { criticLoss: measured['train/critic_loss']!, actorLoss: measured['train/actor_loss']! };
    }
    if (episode !== undefined) {
      returns.push(episode.return);
      rows.episode({ return: episode.return, length: episode.length });
    }
    const { steps, learner } = training;
    const due = steps % EVALUATE_EVERY === 0 || steps === options.plan.steps;
    const episodes = due ? await evaluate(run, spec, evaluation, folder) : [];
    if (due || steps % LOG_EVERY === 0)
      rows.learned({ steps, updates: learner.updates, seconds: secondsOf(run), train: means.take() }, episodes);
    if (due) {
      evaluated = meanReturn(episodes);
      await save(run, folder);
    }
    display.show({
      phase: 'learning',
      done: steps,
      total: options.plan.steps,
      unit: 'steps',
      perSecond: (steps - from) / (secondsOf(run) - run.secondsBefore),
      ...losses,
      ...(returns.length === 0 ? {} : { return: evaluated ?? returns.at(-1)!, returns }),
    });
    // Signals arrive only where the loop yields to the event loop now and then.
    if (steps % 16 === 0) await new Promise(setImmediate);
  }
}

/** Learns with tasks, metrics and checkpoints that are closed in every case. */
export async function train(options: PlannedOptions, io: Io, folder: RunFolder, display: Display): Promise<Run> {
  const spec = loadRobotSpec(options.task);
  const task = await createTask(spec.task ?? options.task);
  const evaluationTask = await createTask(spec.task ?? options.task);
  const { device, why } = await chooseDevice(options.device);
  display.say(why);
  const run = await begin(options, task, folder, device, (text) => display.warn(text));
  const { metrics, rows } = openMetrics(run, options, folder, display);
  const evaluation = environmentOf(evaluationTask);
  try {
    await learn(run, { options, io, folder, display, spec, evaluation, rows });
    if (io.interrupt.signal.aborted) await save(run, folder);
  } finally {
    metrics.close();
    await run.training.dispose();
    task.close();
    evaluationTask.close();
  }
  return run;
}
