import { basename, join } from 'node:path';
import { mean } from '../../src/common/index.js';
import type { LearnerSettings } from '../../src/learning/index.js';
import {
  type OpenEnvironment,
  openEnvironment,
  type TaskOptions,
  taskDefinitions,
} from '../../src/simulation/index.js';
import { runPlan } from '../../src/training/index.js';
import type { Curve, Figure } from '../harness.js';
import { readDemonstrations } from '../learn/demonstrations.js';
import { type Evaluation, SeedRun } from '../learn/seed-run.js';
import { runOffline, spread } from './offline.js';
import type { Job, RunResult, TableOptions, TableSummary } from './table.js';

/** A row of a table: one way of learning from the demonstrations of one demonstrator, run with every seed. */
export interface Row {
  /** Its folder below that of the table, for example `hopper/iq-sac`. */
  readonly name: string;
  /** A task of this package, or `gym:` and an id. */
  readonly environment: string;
  /** The stem of the file of demonstrations: `<data>.npz`. */
  readonly data: string;
  readonly demonstrations: number;
  readonly settings: LearnerSettings;
  /** Own steps. Without it, the row learns from demonstrations alone, with the table's number of updates. */
  readonly online?: { readonly steps: number; readonly updatesPerStep: number; readonly every: number };
  /** What the paper reports, in words. */
  readonly published?: string;
  /** Limits of the seeds, for rows that take long. */
  readonly seeds?: number;
}

/** First steps, which take random actions and no update. */
const RANDOM_STEPS = 2000;
const CURVE_EPISODES = 5;

/** The runs of the rows, seed after seed, so that a table that is not finished has all its rows. */
export function rowJobs(rows: readonly Row[], options: TableOptions): Job[] {
  return options.seeds.flatMap((seed, i) =>
    rows
      .filter((row) => i < (row.seeds ?? Number.POSITIVE_INFINITY))
      .map(
        (row): Job => ({
          name: `${row.name}/seed-${seed}`,
          run: (folder) =>
            row.online === undefined
              ? runOffline(row, seed, options)
              : runOnline(row, row.online, seed, options, folder),
        }),
      ),
  );
}

async function runOnline(
  row: Row,
  { steps, updatesPerStep, every }: NonNullable<Row['online']>,
  seed: number,
  options: TableOptions,
  folder: string,
): Promise<Omit<RunResult, 'job'>> {
  const opened: OpenEnvironment[] = [];
  const open = async (taskOptions: TaskOptions = {}): Promise<OpenEnvironment> => {
    const environment = await openEnvironment(row.environment, taskOptions);
    opened.push(environment);
    return environment;
  };
  try {
    const learningTask = taskDefinitions.find(({ name }) => name === row.environment)?.preset?.learningTask ?? {};
    const environments = { training: await open(learningTask), evaluation: await open() };
    const file = join(options.data, `${row.data}.npz`);
    const demonstrations = readDemonstrations({ file, count: row.demonstrations, first: 0 }, environments.training);
    const { config } = runPlan({
      config: row.settings,
      steps,
      updatesPerTransition: updatesPerStep,
      randomSteps: RANDOM_STEPS,
    });
    const run = await SeedRun.start(
      {
        task: row.environment,
        seed,
        steps,
        every,
        curveEpisodes: CURVE_EPISODES,
        finalEpisodes: options.episodes,
        randomSteps: RANDOM_STEPS,
        updatesPerStep,
        config,
        threads: 1,
        data: `${basename(file)}, ${row.demonstrations} from 0`,
        // The environment's own limit.
        episodeSteps: 0,
        learningTask,
        checkpoints: join(folder, 'checkpoints'),
        resume: true,
        metrics: ['csv'],
      },
      demonstrations,
      environments,
    );
    try {
      const { last, best, chosen, points, diverged } = await run.run();
      const held: Evaluation = chosen ?? best;
      return {
        last: last.returns,
        best: held.returns,
        curve: points.map((point) => [point.steps, point.return] as const),
        demonstrations: mean(demonstrations.used),
        demonstrator: mean(demonstrations.demonstrator),
        seconds: points.at(-1)?.seconds ?? 0,
        settings: { ...config },
        terminated: { last: last.terminated, best: held.terminated },
        ...(chosen !== null && {
          chosen: {
            steps: chosen.steps,
            meanOf: chosen.meanOf,
            distance: chosen.distance,
            rankCorrelation: Number.isFinite(chosen.rankCorrelation) ? chosen.rankCorrelation : null,
          },
        }),
        ...(diverged !== null && { diverged }),
      };
    } finally {
      await run.close();
    }
  } finally {
    for (const environment of opened) await environment.close();
  }
}

const shown = (value: number): string => (Math.abs(value) < 100 ? value.toFixed(1) : value.toFixed(0));
const meanAndSpread = (values: readonly number[]): string => `${shown(mean(values))} ± ${shown(spread(values))}`;

/** Returns of the policy that a run would deploy: the one that it chose without a reward, or else the last one. */
const deployed = ({ chosen, best, last }: RunResult): readonly number[] => (chosen === undefined ? last : best);

/** What one seed of a row found: the fraction of the demonstrator, terminal ends, and which policies of the run. */
function ofSeed(run: RunResult, demonstrator: number): string {
  const { chosen, terminated } = run;
  const ends = terminated?.[chosen === undefined ? 'last' : 'best'];
  const steps = (chosen?.meanOf ?? [chosen?.steps ?? 0]).map((each) => `${each / 1000}k`).join(' + ');
  return [
    ...(demonstrator > 0 ? [(mean(deployed(run)) / demonstrator).toFixed(2)] : []),
    ...(ends === undefined ? [] : [String(ends)]),
    ...(chosen === undefined ? [] : [steps]),
  ].join(', ');
}

/** One line of the document: what the seeds of a row found. */
function line(row: Row, results: readonly RunResult[]): string {
  const demonstrator = mean(results.map((run) => run.demonstrator ?? run.demonstrations));
  const chosen = results.map((run) => mean(deployed(run)));
  const lowest = Math.min(...results.flatMap((run) => [...deployed(run)]));
  const fraction = demonstrator > 0 ? `, ${(mean(chosen) / demonstrator).toFixed(2)}` : '';
  const cells = [
    row.name,
    String(row.demonstrations),
    row.published ?? '–',
    shown(demonstrator),
    results.map(({ job }) => job.slice(job.lastIndexOf('-') + 1)).join(', '),
    `${meanAndSpread(chosen)}${fraction}`,
    shown(lowest),
    results.map((run) => ofSeed(run, demonstrator)).join('; '),
    meanAndSpread(results.map((run) => mean(run.last))),
    `${(mean(results.map(({ seconds }) => seconds)) / 60).toFixed(1)}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

const HEAD = [
  '| row | demonstrations | published | demonstrator | seeds | deployed: mean ± sd over seeds, fraction | lowest start | each seed: fraction, terminal ends, steps of the chosen policies (+: their mean) | last policy | minutes of learning |',
  '|---|---:|---|---:|---|---|---:|---|---|---:|',
];

/** Figures, curves and document of a table that is made of rows. `notes` comes before the table. */
export function rowSummary(rows: readonly Row[], results: readonly RunResult[], notes: string): TableSummary {
  const of = (row: Row): RunResult[] => results.filter(({ job }) => job.startsWith(`${row.name}/seed-`));
  const run = rows.filter((row) => of(row).length > 0);
  const missing = rows.filter((row) => of(row).length === 0).map(({ name }) => name);
  const figures = run.flatMap((row): Figure[] => {
    const found = of(row);
    const note = `${found.length} seeds, each on ${found[0]!.last.length} starts that were used for nothing else`;
    const figure = (what: string, returns: (run: RunResult) => readonly number[]): Figure => ({
      name: `${row.name}: ${what}`,
      value: mean(found.map((each) => mean(returns(each)))),
      unit: 'return',
      note,
    });
    return [figure('deployed', deployed), figure('last', ({ last }) => last)];
  });
  const curves: Curve[] = results
    .filter(({ curve }) => curve.length > 0)
    .map(({ job, curve }) => ({ name: job, columns: ['at', 'return_mean'], rows: curve.map(([x, y]) => [x, y]) }));
  const left = missing.length === 0 ? [] : ['', `Not run yet: ${missing.join(', ')}.`];
  return {
    figures,
    curves,
    document: [notes, '', ...HEAD, ...run.map((row) => line(row, of(row))), ...left].join('\n'),
  };
}
