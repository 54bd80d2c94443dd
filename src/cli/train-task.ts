import { join } from 'node:path';
import { IqLearnError, mean } from '../common/index.js';
import { type AgentName, agentDefinition, type Episode, type LearnerSettings } from '../learning/index.js';
import type { MetricsSinkName } from '../platform/index.js';
import { decodeBundle, type PolicyBundle, writeBundle } from '../policy/index.js';
import { withSettingsFile } from '../sessions/index.js';
import {
  createExpert,
  createTask,
  type Environment,
  type OpenEnvironment,
  oneDemonstration,
  openEnvironment,
  type TaskOptions,
  type TrainingSettings,
  taskDefinitions,
} from '../simulation/index.js';
import { driveEpisodes, expertEpisodes, npzEpisodes, runPlan, type StatesOnly } from '../training/index.js';
import { commandLine, type Io, withDisplay } from './command.js';
import { Display } from './display.js';
import { chosenText, convergedText } from './learning.js';
import { withAgent, withStatesOnly } from './options.js';
import type { OutputOptions } from './output.js';
import { defaultName, openRunFolder, type RunFolder } from './run-folder.js';
import { readPlan, rowsOf, type TaskPlan } from './task-plan.js';
import { TaskRun } from './task-run.js';

export interface TrainOnTaskOptions extends OutputOptions {
  readonly task: string;
  /** An .npz file; without it the task's scripted expert demonstrates. */
  readonly demonstrations?: string;
  readonly out?: string;
  readonly steps?: number;
  readonly settings?: string;
  readonly agent?: AgentName;
  readonly seed?: number;
  readonly statesOnly?: StatesOnly;
  readonly resume: boolean;
  readonly log: readonly MetricsSinkName[];
}

const EVALUATION_EPISODES = 20;
/** First seeds of demonstrations and evaluations, far from those of training, so that no start is shared. */
const DEMONSTRATION_SEED = 2_000_000;
const EVALUATION_SEED = 1_000_000;

/** Settings for a gymnasium environment with discrete actions: nothing else is known about it. */
const discreteDefaults: LearnerSettings = { agent: 'iq-soft-q', online: false, batchSize: 64 };

function settingsOf(options: TrainOnTaskOptions, environment: Environment): TrainingSettings {
  const preset = taskDefinitions.find(({ name }) => name === options.task)?.preset ?? {
    ...oneDemonstration,
    randomSteps: 100,
    ...(environment.discrete === true ? { config: discreteDefaults } : {}),
  };
  const settings = withAgent(withSettingsFile(preset, options.settings), options.agent);
  return withStatesOnly(settings, options.statesOnly);
}

/** The plan of a run that begins or, with --resume, that began in this folder. Throws NOT_FOUND, CORRUPT_DATA, MISMATCH. */
function planOf(options: TrainOnTaskOptions, environment: Environment): TaskPlan {
  const { task, out, steps, seed = 0, demonstrations = null } = options;
  if (!options.resume) {
    const settings = settingsOf(options, environment);
    const { learningTask = {}, demonstrations: episodes } = settings;
    return {
      task,
      seed,
      demonstrations,
      episodes,
      learningTask,
      ...runPlan({ ...settings, steps: steps ?? settings.steps }),
    };
  }
  const plan = readPlan(out);
  return { ...plan, steps: steps ?? plan.steps };
}

/** Throws MISMATCH where an agent cannot act in an environment. */
function checkAgent({ config }: TaskPlan, { discrete }: Environment, task: string): void {
  const { actions } = agentDefinition(config);
  const wanted = discrete === true ? 'discrete' : 'continuous';
  if (actions !== wanted)
    throw new IqLearnError('MISMATCH', `the agent ${config.agent} cannot act in ${task}`, {
      found: `an agent for ${actions} actions`,
      expected: `one for ${wanted} actions`,
      remedy: `for example --agent ${wanted === 'discrete' ? 'iq-soft-q' : 'iq-sac'}`,
    });
}

/**
 * `iq-learn train --task`: learning in a simulated task or an environment of gymnasium, without nodes and topics. Agents
 * with policy rows act in the environment; the others learn from the demonstrations alone, one update a step.
 */
export async function trainOnTask(options: TrainOnTaskOptions, io: Io): Promise<void> {
  const { task, resume } = options;
  const opened: OpenEnvironment[] = [];
  const open = async (taskOptions?: TaskOptions): Promise<OpenEnvironment> => {
    const environment = await openEnvironment(task, taskOptions);
    opened.push(environment);
    return environment;
  };
  try {
    const environment = await open();
    const plan = planOf(options, environment);
    checkAgent(plan, environment, task);
    const demonstrations = await demonstrationsOf(plan, environment);
    const out = options.out ?? join('runs', defaultName(task.replace(/[^\w.-]/g, '-'), plan.seed));
    const folder = openRunFolder(out, { reuse: resume });
    try {
      folder.keep('training.json', `${JSON.stringify(plan, null, 2)}\n`);
      const display = new Display(io.stderr, options);
      const acts = rowsOf(plan.config, environment).policy > 0;
      const learnedIn = acts ? await open(plan.learningTask) : environment;
      // Where the policy acts while it learns, policies along the run are compared in another copy of the environment.
      const trial = acts && demonstrations.length > 0 ? await open() : undefined;
      const parts = { plan, environment: learnedIn, trial, demonstrations, folder, display, io };
      const run = await TaskRun.begin({ ...options, ...parts });
      try {
        await withDisplay(display, () => run.learn());
        const deployed = await withDisplay(display, () => run.deployed());
        await finish(run, deployed, { environment, folder, out, io });
      } finally {
        await run.close();
      }
    } finally {
      folder.close();
    }
  } finally {
    for (const environment of opened) await environment.close();
  }
}

/** Writes the policy, evaluates it, and says where everything is. */
async function finish(
  run: TaskRun,
  { bundle, score }: Awaited<ReturnType<TaskRun['deployed']>>,
  { environment, folder, out, io }: { environment: Environment; folder: RunFolder; out: string; io: Io },
): Promise<void> {
  writeBundle(folder.file('policy'), bundle);
  const returns = await returnsOf(bundle, environment);
  if (run.converged !== undefined) io.stdout.write(`${convergedText(run.converged, run.steps)}\n`);
  if (score !== undefined) io.stdout.write(`${chosenText(score, 1)}\n`);
  const lowest = Math.min(...returns).toFixed(1);
  io.stdout.write(`return ${mean(returns).toFixed(1)} over ${returns.length} fresh starts, lowest ${lowest}\n`);
  io.stdout.write(`policy: ${join(out, 'policy')}\ncheckpoint: ${join(out, 'checkpoint')}\n`);
  if (io.interrupt.signal.aborted) io.stdout.write(`go on: ${commandLine('train', { out, resume: true })}\n`);
}

async function demonstrationsOf(
  { task, demonstrations, episodes, config }: TaskPlan,
  environment: Environment,
): Promise<Episode[]> {
  if (demonstrations !== null) return npzEpisodes(demonstrations, environment);
  // An agent that learns from rewards needs no demonstrations.
  if (rowsOf(config, environment).expert === 0) return [];
  if (taskDefinitions.find(({ name }) => name === task)?.expert === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'a required option is missing', {
      found: `${task}, which has no scripted expert`,
      expected: '--demonstrations <file.npz>',
      remedy: `give demonstrations of this environment, for example of iq-learn expert --task ${task} --record 10`,
    });
  const simulated = await createTask(task);
  try {
    return expertEpisodes(simulated, createExpert(task), { episodes, seed: DEMONSTRATION_SEED });
  } finally {
    simulated.close();
  }
}

async function returnsOf(bundle: PolicyBundle, environment: Environment): Promise<number[]> {
  const policy = await decodeBundle(bundle);
  try {
    const options = { episodes: EVALUATION_EPISODES, seed: EVALUATION_SEED };
    const driven = await driveEpisodes(environment, (observation) => policy.act(observation), options);
    return driven.map((episode) => episode.return);
  } finally {
    await policy.dispose();
  }
}
