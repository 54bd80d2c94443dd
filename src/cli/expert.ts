import { join } from 'node:path';
import type { Command } from 'commander';
import { IqLearnError, vectorObservation } from '../common/index.js';
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
import { contractOf, loadRobotSpec, type RobotSpec, robotNames } from '../robot/index.js';
import { withLearnerFile } from '../sessions/index.js';
import { createTask, type Environment, environmentOf, type Task } from '../simulation/index.js';
import { EnvironmentTrainer, evaluateOnTask, runConfig, startLearner } from '../training/index.js';
import { commandLine, type Io, longCommand, withDisplay } from './command.js';
import { Display } from './display.js';
import { type Figure, writeFigures } from './figures.js';
import {
  deviceOption,
  integer,
  jsonOption,
  logOption,
  nameOption,
  oneOf,
  seedOption,
  settingsOption,
} from './options.js';
import type { OutputOptions } from './output.js';
import { checkTarget, defaultName, openRunFolder, type RunFolder } from './run-folder.js';

const EVALUATE_EVERY = 10_000;
const EVALUATION_EPISODES = 5;
/** Steps between two rows of metrics. */
const LOG_EVERY = 1000;
const EVALUATION_SEED = 1_000_000;
/** Uniformly random steps at the start, as SAC's authors take them. */
const RANDOM_STEPS = 5000;
const UPDATES_PER_STEP = 1;
/** SAC as its authors use it, with a learned temperature. */
const EXPERT_SETTINGS = {
  agent: 'sac',
  critics: 2,
  learnTemperature: true,
  temperature: 0.2,
  actorLearningRate: 3e-4,
  temperatureLearningRate: 3e-4,
} as const satisfies LearnerSettings;

interface ExpertOptions extends OutputOptions {
  readonly task: string;
  readonly steps: number;
  readonly seed: number;
  readonly settings?: string;
  readonly name?: string;
  readonly resume: boolean;
  readonly device: Device;
  readonly json?: string;
  readonly log: readonly MetricsSinkName[];
}

/** Robots whose task can be learnt from its reward. */
export function expertRobots(): string[] {
  return robotNames().filter((name) => loadRobotSpec(name).task !== null);
}

interface Run {
  readonly training: EnvironmentTrainer;
  /** Best return of an evaluation so far. */
  best: number;
  /** Seconds of learning before this process. */
  readonly secondsBefore: number;
  /** When this process began to learn, by `performance.now`. */
  readonly startedMs: number;
}

const secondsOf = (run: Run): number => run.secondsBefore + (performance.now() - run.startedMs) / 1000;

async function begin(
  options: ExpertOptions,
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
  const { steps, seed } = options;
  const own: LearnerSettings = { ...EXPERT_SETTINGS, bufferSize: Math.min(1_000_000, Math.max(steps, 1000)) };
  const config = withLearnerFile(own, options.settings);
  const learner = await startLearner({
    config: runConfig(config, { steps, updatesPerTransition: UPDATES_PER_STEP }),
    observation: vectorObservation(environment.observationSize, 'none'),
    actionSize: environment.actionLow.length,
    seed,
    demonstrations: [],
    device,
  });
  const randomSteps = Math.min(RANDOM_STEPS, Math.ceil(options.steps / 4));
  const training = await EnvironmentTrainer.create({
    learner,
    environment,
    seed: options.seed,
    randomSteps,
    updateAfter: randomSteps,
    updatesPerStep: UPDATES_PER_STEP,
  });
  return { training, best: Number.NEGATIVE_INFINITY, secondsBefore: 0, startedMs };
}

async function save(run: Run, folder: RunFolder): Promise<void> {
  const { meta, arrays } = await run.training.checkpoint();
  // JSON has no infinity: nothing was evaluated yet.
  const best = Number.isFinite(run.best) ? run.best : null;
  saveCheckpoint(folder.file('checkpoint'), { meta: { ...meta, best, seconds: secondsOf(run) }, arrays });
}

/** Evaluates the policy as it is and keeps it where it is the best so far. */
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
    // A fresh run begins anew; a checkpoint is written after the row of its step.
    cutFrom: training.steps === 0 ? 0 : training.steps + 1,
    print: (table) => display.say(table),
    onProblem: ({ message }) => display.warn(message),
  });
  return { metrics, rows: new RunMetrics(metrics, { steps: training.steps, seconds: secondsBefore }) };
}

async function train(options: ExpertOptions, io: Io, folder: RunFolder, display: Display): Promise<Run> {
  const spec = loadRobotSpec(options.task);
  const task = await createTask(spec.task ?? options.task);
  const evaluationTask = await createTask(spec.task ?? options.task);
  const { device, why } = await chooseDevice(options.device);
  display.say(why);
  const run = await begin(options, task, folder, device, (text) => display.warn(text));
  const { training } = run;
  const { metrics, rows } = openMetrics(run, options, folder, display);
  const means = new MetricMeans();
  const returns: number[] = [];
  const from = training.steps;
  let evaluated: number | undefined;
  let losses: { criticLoss?: number; actorLoss?: number } = {};
  try {
    while (training.steps < options.steps && !io.interrupt.signal.aborted) {
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
      const due = steps % EVALUATE_EVERY === 0 || steps === options.steps;
      const episodes = due ? await evaluate(run, spec, environmentOf(evaluationTask), folder) : [];
      if (due || steps % LOG_EVERY === 0)
        rows.learned({ steps, updates: learner.updates, seconds: secondsOf(run), train: means.take() }, episodes);
      if (due) {
        evaluated = meanReturn(episodes);
        await save(run, folder);
      }
      display.show({
        phase: 'learning',
        done: steps,
        total: options.steps,
        unit: 'steps',
        perSecond: (steps - from) / (secondsOf(run) - run.secondsBefore),
        ...losses,
        ...(returns.length === 0 ? {} : { return: evaluated ?? returns.at(-1)!, returns }),
      });
      // Signals are heard between steps only where the loop is left now and then.
      if (steps % 16 === 0) await new Promise(setImmediate);
    }
    if (io.interrupt.signal.aborted) await save(run, folder);
  } finally {
    metrics.close();
    await training.dispose();
    task.close();
    evaluationTask.close();
  }
  return run;
}

/** `iq-learn expert`: a policy from the task's own rewards, to demonstrate where nobody can. */
export function expertCommand(io: Io): Command {
  return longCommand('expert', "learn an expert from a task's own rewards, by SAC", [
    'iq-learn expert --task hopper --steps 200000',
    'iq-learn expert --task hopper --steps 400000 --name hopper-expert --resume',
  ])
    .requiredOption('--task <robot>', 'the robot whose task is learnt', oneOf('task', expertRobots()))
    .option('--steps <n>', 'steps of the simulator', integer('--steps', 100, 100_000_000), 200_000)
    .addOption(settingsOption())
    .addOption(seedOption())
    .addOption(nameOption())
    .option('--resume', 'go on from the checkpoint of the run --name', false)
    .addOption(jsonOption())
    .addOption(deviceOption())
    .addOption(logOption())
    .action(async (options: ExpertOptions) => {
      if (options.resume && options.name === undefined)
        throw new IqLearnError('INVALID_ARGUMENT', 'nothing to resume', {
          found: '--resume without a run',
          expected: '--name of a run that was begun',
          remedy: 'for example --name hopper-expert --resume',
        });
      if (options.json !== undefined) checkTarget(options.json);
      const name = options.name ?? defaultName(`${options.task}-expert`, options.seed);
      const folder = openRunFolder(join('runs', name), { reuse: options.resume });
      try {
        const display = new Display(io.stderr, options);
        const { training, best } = await withDisplay(display, () => train(options, io, folder, display));
        const { task, steps, seed, settings } = options;
        const finished = training.steps >= steps;
        const again = commandLine('expert', {
          task,
          steps,
          settings,
          seed,
          ...(finished ? {} : { name, resume: true }),
        });
        if (Number.isFinite(best)) {
          io.stdout.write(
            `best return ${best.toFixed(1)} over ${EVALUATION_EPISODES} episodes, after ${training.steps} steps in all\n`,
          );
          io.stdout.write(`policy: ${join('runs', name, 'policy')}\n`);
        }
        io.stdout.write(`${finished ? 'again' : 'go on'}: ${again}\n`);
        const figures: Figure[] = [
          { name: 'best_return', value: best, unit: 'return', note: `${EVALUATION_EPISODES} episodes` },
          { name: 'steps', value: training.steps, unit: 'steps' },
        ];
        if (options.json !== undefined)
          writeFigures(
            options.json,
            'expert',
            again,
            figures.filter(({ value }) => Number.isFinite(value)),
          );
      } finally {
        folder.close();
      }
    });
}
