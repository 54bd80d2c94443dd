import { join } from 'node:path';
import { IqLearnError } from '../common/index.js';
import { Actor, type Episode, type Learner, type LearnerSettings } from '../learning/index.js';
import { saveCheckpoint } from '../platform/index.js';
import { withSettingsFile } from '../sessions/index.js';
import {
  createExpert,
  createTask,
  type Environment,
  oneDemonstration,
  openEnvironment,
  taskDefinitions,
} from '../simulation/index.js';
import {
  EnvironmentTrainer,
  environmentPace,
  evaluateOnTask,
  expertEpisodes,
  npzEpisodes,
  type RunPlan,
  runPlan,
  startLearner,
} from '../training/index.js';
import { type Io, withDisplay } from './command.js';
import { Display } from './display.js';
import type { OutputOptions } from './output.js';
import { defaultName, openRunFolder } from './run-folder.js';

export interface TrainOnTaskOptions extends OutputOptions {
  readonly task: string;
  /** An .npz file; without it the task's scripted expert demonstrates. */
  readonly demonstrations?: string;
  readonly out?: string;
  readonly steps?: number;
  readonly settings?: string;
  readonly seed?: number;
}

const EVALUATION_EPISODES = 20;
/** First seeds of demonstrations and evaluations, far from those of training, so that no start is shared. */
const DEMONSTRATION_SEED = 2_000_000;
const EVALUATION_SEED = 1_000_000;
/** Updates from one display of the progress to the next, for an agent that learns without acting. */
const UPDATES_PER_LOOK = 100;

/** Settings for a gymnasium environment with discrete actions: nothing else is known about it. */
const discreteDefaults: LearnerSettings = { agent: 'iq-soft-q', online: false, batchSize: 64 };

/**
 * `iq-learn train --task`: IQ-Learn in a simulated task or an environment of gymnasium, without nodes and topics. Agents
 * with policy rows act in the environment; the others learn from the demonstrations alone, one update a step.
 */
export async function trainOnTask(options: TrainOnTaskOptions, io: Io): Promise<void> {
  const { task, seed = 0 } = options;
  const environment = await openEnvironment(task);
  try {
    const preset = taskDefinitions.find(({ name }) => name === task)?.preset ?? {
      ...oneDemonstration,
      randomSteps: 100,
      ...(environment.discrete === true ? { config: discreteDefaults } : {}),
    };
    const settings = withSettingsFile(preset, options.settings);
    const plan = runPlan({ ...settings, steps: options.steps ?? settings.steps });
    const { config } = plan;
    const demonstrations =
      options.demonstrations === undefined
        ? await scripted(task, settings.demonstrations)
        : npzEpisodes(options.demonstrations, environment);
    const folder = openRunFolder(options.out ?? join('runs', defaultName(task.replace(/[^\w.-]/g, '-'), seed)));
    const learner = await startLearner({
      config,
      observation: environment.observation,
      actionSize: environment.actionRange.size,
      seed,
      demonstrations,
    });
    try {
      const display = new Display(io.stderr, options);
      const online = !('online' in config) || config.online !== false;
      await withDisplay(display, () => learn(learner, environment, { ...plan, online, seed }, io, display));
      saveCheckpoint(folder.file('checkpoint'), learner.checkpoint());
      const returns = await returnsOf(learner, environment);
      const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
      io.stdout.write(
        `return ${mean.toFixed(1)} over ${returns.length} fresh starts, lowest ${Math.min(...returns).toFixed(1)}\n`,
      );
      io.stdout.write(`checkpoint: ${folder.file('checkpoint')}\n`);
    } finally {
      await learner.dispose();
      folder.close();
    }
  } finally {
    await environment.close();
  }
}

async function scripted(task: string, count: number): Promise<Episode[]> {
  if (taskDefinitions.find(({ name }) => name === task)?.expert === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'a required option is missing', {
      found: `${task}, which has no scripted expert`,
      expected: '--demonstrations <file.npz>',
      remedy: 'give demonstrations of this environment',
    });
  const simulated = await createTask(task);
  try {
    return expertEpisodes(simulated, createExpert(task), { episodes: count, seed: DEMONSTRATION_SEED });
  } finally {
    simulated.close();
  }
}

interface Run extends RunPlan {
  readonly online: boolean;
  readonly seed: number;
}

async function learn(learner: Learner, environment: Environment, run: Run, io: Io, display: Display): Promise<void> {
  const { online, steps, seed } = run;
  const started = performance.now();
  const show = (done: number): void =>
    display.show({
      phase: 'learning',
      done,
      total: steps,
      unit: online ? 'steps' : 'updates',
      perSecond: done / ((performance.now() - started) / 1000),
    });
  if (!online) {
    for (let done = 0; done < steps && !io.interrupt.signal.aborted; done += UPDATES_PER_LOOK) {
      await learner.update(Math.min(UPDATES_PER_LOOK, steps - done));
      show(Math.min(done + UPDATES_PER_LOOK, steps));
    }
    return;
  }
  const training = await EnvironmentTrainer.create({ learner, environment, seed, ...environmentPace(run) });
  while (training.steps < steps && !io.interrupt.signal.aborted) {
    await training.step();
    show(training.steps);
    // Signals arrive only where the loop yields to the event loop now and then.
    if (training.steps % 16 === 0) await new Promise(setImmediate);
  }
}

async function returnsOf(learner: Learner, environment: Environment): Promise<number[]> {
  const actor = await Actor.create(learner.policyFunction());
  try {
    const episodes = await evaluateOnTask(actor, environment, {
      episodes: EVALUATION_EPISODES,
      seed: EVALUATION_SEED,
    });
    return episodes.map((episode) => episode.return);
  } finally {
    await actor.dispose();
  }
}
