import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type ActionRange, IqLearnError, mean, shapeSize } from '../common/index.js';
import { importNpz } from '../demonstrations/index.js';
import { type Episode, Learner } from '../learning/index.js';
import { loadCheckpoint, readJson, writeFileAtomic } from '../platform/index.js';
import { loadRobotSpec, PolicyActions, type RobotSpec } from '../robot/index.js';
import { learningEpisode, usableDemonstrations } from '../sessions/index.js';
import { openEnvironment } from '../simulation/index.js';
import { npzEpisodes } from '../training/index.js';
import { command, type Io } from './command.js';
import { refuseUnread } from './contradictions.js';
import { type GridAxis, gridAxis, gridRewards } from './reward-grid.js';
import { taskOfRun } from './task-plan.js';

interface RewardOptions {
  readonly run: string;
  readonly recording?: readonly string[];
  readonly demonstrations?: string;
  readonly grid?: readonly GridAxis[];
  readonly csv?: string;
  readonly onnx?: string;
}

/** The robot or task that a run learned, whose units its demonstrations and its exported reward have. */
interface Subject {
  readonly robot?: RobotSpec;
  readonly task?: string;
}

function subjectOf(run: string): Subject {
  const task = taskOfRun(run);
  if (task !== undefined) return { task };
  const file = join(run, 'training.json');
  const { robot } = existsSync(file) ? (readJson(file) as { readonly robot?: unknown }) : {};
  if (typeof robot === 'string') return { robot: loadRobotSpec(robot) };
  throw new IqLearnError('NOT_FOUND', `there is no training in ${run}`, {
    found: `no ${file}`,
    expected: 'the folder of a run of iq-learn train or demo',
    remedy: 'check the path',
  });
}

/** Steps to recover rewards of, with the task's own rewards where the file has them. */
interface Steps {
  readonly episodes: readonly Episode[];
  readonly own: readonly (Float32Array | null)[];
  readonly range: ActionRange | undefined;
}

async function stepsOf(subject: Subject, options: RewardOptions, warn: (text: string) => void): Promise<Steps> {
  const { recording, demonstrations } = options;
  if (subject.robot !== undefined) {
    const { robot } = subject;
    const read = recording === undefined ? [] : await usableDemonstrations(robot, recording, warn);
    const episodes = read.map((episode) => learningEpisode(episode, robot));
    return { episodes, own: read.map(({ rewards }) => rewards), range: new PolicyActions(robot).range };
  }
  const environment = await openEnvironment(subject.task!);
  try {
    const range = environment.discrete === true ? undefined : environment.actionRange;
    if (demonstrations === undefined) return { episodes: [], own: [], range };
    const own = importNpz(demonstrations).map(({ rewards }) => rewards);
    return { episodes: npzEpisodes(demonstrations, environment), own, range };
  } finally {
    await environment.close();
  }
}

/** Pearson's correlation; NaN where one of the two does not vary. */
function correlation(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [mean(x), mean(y)];
  const sum = (f: (i: number) => number): number => x.reduce((total, _, i) => total + f(i), 0);
  const covariance = sum((i) => (x[i]! - mx) * (y[i]! - my));
  return covariance / Math.sqrt(sum((i) => (x[i]! - mx) ** 2) * sum((i) => (y[i]! - my) ** 2));
}

async function ofSteps(learner: Learner, { episodes, own }: Steps, csv: string | undefined, io: Io): Promise<void> {
  const rows: string[] = [];
  const [recovered, task]: [number[], number[]] = [[], []];
  for (const [i, episode] of episodes.entries()) {
    const rewards = [...(await learner.recoverRewards(episode))];
    recovered.push(...rewards);
    if (own[i] !== null && own[i] !== undefined) task.push(...own[i]);
    rewards.forEach((reward, t) => {
      rows.push([i, t, reward, own[i]?.[t] ?? ''].join(','));
    });
  }
  if (csv !== undefined) writeFileAtomic(csv, `episode,step,reward,task_reward\n${rows.join('\n')}\n`);
  io.stdout.write(
    `${recovered.length} steps of ${episodes.length} episodes: recovered reward ${mean(recovered).toPrecision(4)} a step\n`,
  );
  const r = task.length === recovered.length ? correlation(recovered, task) : Number.NaN;
  if (Number.isFinite(r)) io.stdout.write(`Pearson correlation with the task's own reward: ${r.toFixed(3)}\n`);
}

async function recover(options: RewardOptions, io: Io): Promise<void> {
  const { run, recording, demonstrations, grid, csv, onnx } = options;
  const subject = subjectOf(run);
  if (recording === undefined && demonstrations === undefined && grid === undefined && onnx === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'nothing to recover rewards of', {
      found: 'a run alone',
      expected: '--recording, --demonstrations, --grid or --onnx',
      remedy: `for example iq-learn reward --run ${run} --onnx reward.onnx`,
    });
  const warn = (text: string): void => void io.stderr.write(`warning: ${text}\n`);
  const steps = await stepsOf(subject, options, warn);
  const learner = await Learner.resume(loadCheckpoint(join(run, 'checkpoint'), ({ message }) => warn(message)));
  try {
    if (steps.episodes.length > 0) await ofSteps(learner, steps, csv, io);
    if (grid !== undefined) {
      const { header, rows } = await gridRewards(learner, grid);
      const text = `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
      if (csv === undefined) io.stdout.write(text);
      else writeFileAtomic(csv, text);
    }
    if (onnx !== undefined) {
      const name = subject.robot?.robot ?? subject.task!;
      const units = steps.range === undefined ? {} : { range: steps.range };
      writeFileAtomic(onnx, await learner.exportReward({ ...units, metadata: { robot: name } }));
      const size = learner.observation.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
      io.stdout.write(
        `${onnx}: observation [1, ${size}], action [1, ${learner.actionSize}], next_observation [1, ${size}], terminated [1, 1] → reward [1, 1]\n`,
      );
    }
    io.stdout.write('It compares steps within the same dynamics, nothing more.\n');
  } finally {
    await learner.dispose();
  }
}

/** Refuses what would not be read, and two tables for one file, of which the second would take the place of the first. */
function refuseUnreadByReward(made: Command, { run, recording, demonstrations, grid, onnx }: RewardOptions): void {
  const isOfTask = taskOfRun(run) !== undefined;
  refuseUnread(made, {
    name: `a run of a ${isOfTask ? 'task' : 'robot'}`,
    found: `--run ${run}`,
    options: [isOfTask ? '--recording' : '--demonstrations'],
    remedy: `give its demonstrations with ${isOfTask ? '--demonstrations' : '--recording'}`,
  });
  const hasSteps = recording !== undefined || demonstrations !== undefined;
  if (hasSteps === (grid !== undefined) && (hasSteps || onnx !== undefined))
    refuseUnread(made, {
      name: hasSteps ? '--grid with steps' : '--onnx alone',
      found: hasSteps ? 'rewards of steps and of a grid' : 'rewards of no steps and of no grid',
      options: ['--csv'],
      remedy: hasSteps ? 'give two commands, each with its --csv' : 'leave it out, or give --recording or --grid',
    });
}

/** `iq-learn reward`: the reward that a run's critic implies, of steps or of a grid of states, or as an ONNX file. */
export function rewardCommand(io: Io): Command {
  return command('reward', 'Recover the reward that a learned critic implies, and export it.', [
    'iq-learn reward --run runs/rover --recording demonstrations/rover --csv rewards.csv',
    'iq-learn reward --run runs/cartpole --demonstrations cartpole.npz --onnx reward.onnx',
    'iq-learn reward --run runs/cartpole --grid 2=-0.2:0.2:21 3=-2:2:21 --csv grid.csv',
  ])
    .requiredOption('--run <folder>', 'folder of a run of iq-learn train or demo, whose checkpoint is read')
    .option('--recording <path...>', 'recordings of the robot, whose every step gets its reward')
    .option('--demonstrations <file>', 'the same of an .npz file of steps, of a run with --task')
    .option(
      '--grid <axis...>',
      'one or two axes index=low:high:n of the observation: the reward of staying there with the action of the policy; all else is as on average',
      gridAxis,
    )
    .option('--csv <file>', 'write the rewards to this file')
    .option('--onnx <file>', 'write the reward as a function of steps, in the units of the robot or task, to this file')
    .action((options: RewardOptions, made: Command) => {
      refuseUnreadByReward(made, options);
      return recover(options, io);
    });
}
