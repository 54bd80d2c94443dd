import { basename, join } from 'node:path';
import { IqLearnError, messageOf } from '../../src/common/index.js';
import type { LearnerConfig, LearnerSettings } from '../../src/learning/index.js';
import { defaultMetricsSinks, parseMetricsSinks, writeFileAtomic } from '../../src/platform/index.js';
import { trainingSettings, withSettingsFile } from '../../src/sessions/index.js';
import { createTask, environmentOf } from '../../src/simulation/index.js';
import { type RunPlan, runPlan } from '../../src/training/index.js';
import { type BenchResult, benchResult, type Curve, type Figure, median, progress } from '../harness.js';
import { watchLoad } from '../load.js';
import { integerList, type OptionValues, parseOptions } from '../options.js';
import { type Demonstrations, readDemonstrations } from './demonstrations.js';
import { type SeedOutcome, SeedRun } from './seed-run.js';
import { curvesSvg } from './svg.js';

const OPTIONS = {
  task: { default: 'halfcheetah', help: 'halfcheetah, hopper or another task with continuous actions' },
  data: { default: null, help: 'expert episodes as .npz (required)' },
  demonstrations: { default: 1, help: 'episodes to learn from' },
  first: { default: 0, help: 'index of the first of them in the file' },
  seeds: { default: '1,2,3', help: 'seeds, separated by commas' },
  steps: { default: 100_000, help: 'environment steps, unless a settings file says others' },
  every: { default: 5000, help: 'steps between two evaluations' },
  episodes: { default: 5, help: 'episodes of an evaluation along the curve' },
  'final-episodes': {
    default: 10,
    help: 'episodes of the evaluations at the end: of the last policy, the best one and the chosen one',
  },
  'episode-steps': {
    default: 0,
    help: "steps after which the learner's own episodes are cut off; 0 is as the task's settings say",
  },
  'random-steps': {
    default: 2000,
    help: 'first steps, which take uniformly random actions and no update, unless a settings file says others',
  },
  updates: { default: 1, help: 'updates a step, unless a settings file says others' },
  threads: { default: 2, help: 'threads of the learner' },
  settings: {
    default: null,
    help: "learner settings over the task's as JSON, or a settings file, which then means what it means in iq-learn train",
  },
  checkpoints: {
    default: null,
    help: 'folder for checkpoints and candidates, one subfolder a seed, written at every evaluation; only with it the run chooses the policy to deploy',
  },
  log: {
    default: defaultMetricsSinks.join(','),
    help: 'metrics beside the checkpoints: csv, jsonl, tensorboard, terminal, or none',
  },
  resume: { default: false, help: 'continue from the checkpoints in --checkpoints, where there are some' },
  svg: { default: null, help: 'draw the curves to this file' },
} as const;

/** Measures the return of online IQ-Learn with SAC from few demonstrations, against environment steps and time. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('learn', args, OPTIONS);
  const { task, data } = options;
  if (data === null)
    throw new IqLearnError('INVALID_ARGUMENT', 'no demonstrations to learn from', {
      found: 'no --data',
      expected: 'an .npz of expert episodes',
      remedy: 'for example --data halfcheetah-v4.npz',
    });
  if (options.resume && options.checkpoints === null)
    throw new IqLearnError('INVALID_ARGUMENT', 'nothing to resume', {
      found: '--resume without --checkpoints',
      expected: 'the folder of the run that was begun',
    });
  const plan = planOf(options, args);
  const { config } = plan;
  const load = watchLoad();
  const cut = options['episode-steps'];
  const learningTask = cut > 0 ? { maxSteps: cut } : (trainingSettings(task).learningTask ?? {});
  const [learningIn, judgedIn] = [await createTask(task, learningTask), await createTask(task)];
  const environments = { training: environmentOf(learningIn), evaluation: environmentOf(judgedIn) };
  const choice = { file: data, count: options.demonstrations, first: options.first };
  const demonstrations = readDemonstrations(choice, environments.training);
  const outcomes: SeedOutcome[] = [];
  try {
    for (const seed of integerList('seeds', options.seeds)) {
      const seedRun = await SeedRun.start(
        {
          task,
          seed,
          steps: plan.steps,
          every: options.every,
          curveEpisodes: options.episodes,
          finalEpisodes: options['final-episodes'],
          randomSteps: plan.randomSteps,
          updatesPerStep: plan.updatesPerTransition,
          config,
          threads: options.threads,
          data: `${basename(data)}, ${choice.count} from ${choice.first}`,
          episodeSteps: learningIn.maxSteps,
          learningTask,
          checkpoints: options.checkpoints === null ? null : join(options.checkpoints, `${task}-seed-${seed}`),
          resume: options.resume,
          metrics: parseMetricsSinks(options.log),
        },
        demonstrations,
        environments,
      );
      try {
        outcomes.push(await seedRun.run());
      } finally {
        await seedRun.close();
      }
      // Drawn after every seed, so that the curves can be seen while the next seed learns.
      if (options.svg !== null) draw(options.svg, task, outcomes, demonstrations);
    }
  } finally {
    learningIn.close();
    judgedIn.close();
  }
  return benchResult(
    'learn',
    args,
    [...demonstrationFigures(demonstrations), ...outcomeFigures(outcomes, demonstrations), ...load()],
    { curves: curvesOf(outcomes), versions: { settings: settingsText(config) } },
  );
}

/**
 * The course of the runs. A settings file lies over the task's own settings, as in `iq-learn train`, and options that are
 * given lie over the file; without a file the options hold, given or not.
 */
export function planOf(options: PlanOptions, args: readonly string[]): RunPlan {
  const own = trainingSettings(options.task);
  const { settings: given, steps, updates, 'random-steps': randomSteps } = options;
  const protocol = { steps, updatesPerTransition: updates, randomSteps };
  if (given === null || given.trimStart().startsWith('{'))
    return runPlan({ ...protocol, config: withJson(own.config, given ?? '{}') });
  const said = (name: string): boolean => args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  return runPlan({
    ...withSettingsFile(own, given),
    ...(said('steps') ? { steps } : {}),
    ...(said('updates') ? { updatesPerTransition: updates } : {}),
    ...(said('random-steps') ? { randomSteps } : {}),
  });
}

type PlanOptions = Pick<OptionValues<typeof OPTIONS>, 'task' | 'settings' | 'steps' | 'updates' | 'random-steps'>;

/** The task's settings of the learner with those of JSON on the command line over them. */
function withJson(own: LearnerSettings, given: string): LearnerSettings {
  try {
    return { ...own, ...(JSON.parse(given) as Record<string, unknown>) } as LearnerSettings;
  } catch (cause) {
    throw new IqLearnError('INVALID_ARGUMENT', 'bad value of --settings', {
      found: messageOf(cause),
      expected: 'JSON, or a settings file',
      remedy: `for example --settings '{"temperature":0.001}'`,
      cause,
    });
  }
}

/** The settings in full: a default that changes later must not change what a result says. */
const settingsText = (config: LearnerConfig): string => JSON.stringify(config);

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

function draw(file: string, task: string, outcomes: readonly SeedOutcome[], demonstrations: Demonstrations): void {
  writeFileAtomic(file, curvesSvg(task, outcomes, meanOf(demonstrations.demonstrator)));
  progress(`curves drawn to ${file}`);
}

function demonstrationFigures({ demonstrator, used }: Demonstrations): Figure[] {
  return [
    {
      name: 'demonstrator',
      value: meanOf(demonstrator),
      unit: 'return',
      note: `mean of its ${demonstrator.length} episodes; fractions are of this`,
    },
    { name: 'demonstrations', value: meanOf(used), unit: 'return', note: `mean of the ${used.length} learned from` },
  ];
}

/** From the first point of the curve at or above a fraction of the demonstrator's return. */
function reached(outcome: SeedOutcome, fraction: number, demonstrator: number) {
  const at = outcome.points.findIndex((point) => point.return >= fraction * demonstrator);
  if (at < 0) return undefined;
  const after = outcome.points.slice(at).map((point) => point.return);
  return { ...outcome.points[at]!, lowestAfter: Math.min(...after) / demonstrator };
}

function seedFigures(outcome: SeedOutcome, demonstrator: number): Figure[] {
  const of = (what: string): string => `seed ${outcome.seed}: ${what}`;
  const { last, best, points } = outcome;
  const figures: Figure[] = [];
  for (const [name, { steps, mean, sd, lowest }] of [
    ['last', last],
    ['best', best],
  ] as const) {
    const chosen = name === 'best' ? ', chosen by the curve, fresh starts' : ', fresh starts';
    figures.push(
      { name: of(name), value: mean, unit: 'return', note: `± ${sd.toFixed(0)}, lowest ${lowest.toFixed(0)}` },
      { name: of(`${name}, fraction`), value: mean / demonstrator, unit: 'ratio', note: `step ${steps}${chosen}` },
    );
  }
  for (const percent of [95, 90]) {
    const first = reached(outcome, percent / 100, demonstrator);
    if (first === undefined) continue;
    figures.push(
      { name: of(`steps to ${percent} %`), value: first.steps, unit: 'steps', note: 'first point of the curve' },
      { name: of(`time to ${percent} %`), value: first.seconds, unit: 's', note: 'of learning, without evaluations' },
      { name: of(`lowest after ${percent} %`), value: first.lowestAfter, unit: 'ratio', note: 'point of the curve' },
    );
  }
  const end = points.at(-1);
  if (end !== undefined)
    figures.push(
      { name: of('time'), value: end.seconds, unit: 's', note: 'of learning, without evaluations' },
      { name: of('time with evaluations'), value: end.elapsed, unit: 's' },
      { name: of('speed'), value: end.steps / end.seconds, unit: 'steps/s' },
    );
  const { chosen } = outcome;
  if (chosen !== null) {
    const { meanOf, mean, sd, lowest, terminated, distance, rankCorrelation } = chosen;
    figures.push(
      { name: of('chosen'), value: mean, unit: 'return', note: `± ${sd.toFixed(0)}, lowest ${lowest.toFixed(0)}` },
      {
        name: of('chosen, fraction'),
        value: mean / demonstrator,
        unit: 'ratio',
        note: `${meanOf.length > 1 ? 'mean of steps' : 'step'} ${meanOf.join(', ')}, chosen by the distance ${distance.toFixed(3)} without a reward, fresh starts`,
      },
      { name: of('chosen, lowest'), value: lowest / demonstrator, unit: 'ratio', note: 'of the fresh starts' },
      { name: of('chosen, terminated'), value: terminated, unit: 'episodes', note: 'ended in a terminal state' },
      { name: of('rank correlation'), value: rankCorrelation, unit: '', note: 'of nearness and return' },
    );
  }
  if (outcome.diverged !== null)
    figures.push({ name: of('diverged'), value: last.steps, unit: 'step', note: outcome.diverged });
  return figures;
}

function outcomeFigures(outcomes: readonly SeedOutcome[], demonstrations: Demonstrations): Figure[] {
  const demonstrator = meanOf(demonstrations.demonstrator);
  const figures = outcomes.flatMap((outcome) => seedFigures(outcome, demonstrator));
  const n = outcomes.length;
  for (const percent of [95, 90]) {
    const firsts = outcomes.flatMap((outcome) => reached(outcome, percent / 100, demonstrator) ?? []);
    figures.push({ name: `seeds that reached ${percent} %`, value: firsts.length, unit: 'seeds', note: `of ${n}` });
    if (firsts.length === 0) continue;
    const note = `median of the seeds that reached it (${firsts.length} of ${n})`;
    figures.push(
      { name: `steps to ${percent} %`, value: median(firsts.map((first) => first.steps)), unit: 'steps', note },
      { name: `time to ${percent} %`, value: median(firsts.map((first) => first.seconds)), unit: 's', note },
    );
  }
  for (const name of ['last', 'best', 'chosen'] as const) {
    const fractions = outcomes.flatMap((outcome) => outcome[name] ?? []).map((each) => each.mean / demonstrator);
    if (fractions.length === 0) continue;
    const centre = meanOf(fractions);
    const sd = Math.sqrt(fractions.reduce((sum, x) => sum + (x - centre) ** 2, 0) / Math.max(1, n - 1));
    const note = `mean of ${fractions.length} seeds${n > 1 ? `, ± ${sd.toFixed(3)}` : ''}, lowest ${Math.min(...fractions).toFixed(3)}`;
    figures.push({ name: `${name}, fraction`, value: centre, unit: 'ratio', note });
  }
  return figures;
}

function curvesOf(outcomes: readonly SeedOutcome[]): Curve[] {
  return outcomes.map(({ seed, points }) => ({
    name: `seed ${seed}`,
    columns: [
      'steps',
      'seconds',
      'seconds_with_evaluations',
      'return_mean',
      'return_sd',
      'episode_length',
      'critic_loss',
      'reward_expert',
      'reward_policy',
    ],
    rows: points.map((point) => [
      point.steps,
      point.seconds,
      point.elapsed,
      point.return,
      point.sd,
      point.length,
      point.criticLoss ?? Number.NaN,
      point.rewardExpert ?? Number.NaN,
      point.rewardPolicy ?? Number.NaN,
    ]),
  }));
}
