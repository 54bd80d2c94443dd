import { join } from 'node:path';
import { IqLearnError, unknownName } from '../../src/common/index.js';
import { writeFileAtomic } from '../../src/platform/index.js';
import { type BenchResult, benchResult, progress } from '../harness.js';
import { integerList, parseOptions } from '../options.js';
import { kubernetesJob, slurmScript } from './cluster.js';
import { divergences } from './divergences.js';
import { makeDemonstrations } from './experts.js';
import { jobNamed, resultOf, runJob, runJobs } from './jobs.js';
import { offline } from './offline.js';
import { online } from './online.js';
import { reward } from './reward.js';
import { states } from './states.js';
import type { PaperTable, TableOptions } from './table.js';

/** All tables by their names. A new table is a file in this folder and a line here. */
const TABLES: readonly PaperTable[] = [online, offline, states, reward, divergences];

const OPTIONS = {
  table: { default: null, help: `${TABLES.map(({ name, summary }) => `${name}: ${summary}`).join('; ')} (required)` },
  'make-data': { default: 0, help: 'run nothing: write so many demonstrations of each environment to --data' },
  data: { default: 'runs/paper/data', help: 'folder with the demonstrations, one .npz an environment' },
  runs: {
    default: 'runs/paper',
    help: 'folder of the runs: one subfolder each, with its result; those are not run again',
  },
  seeds: { default: '0,1,2,3,4', help: 'seeds, separated by commas' },
  episodes: { default: 50, help: 'fresh starts of every figure' },
  updates: { default: 3000, help: 'gradient updates of a run that learns from demonstrations alone' },
  only: { default: null, help: 'only the runs whose names hold this text, for example cartpole/iq-chi2' },
  jobs: { default: 1, help: 'runs at a time, each in a process of its own' },
  job: { default: null, help: 'run just this one: what the jobs of a cluster do' },
  slurm: { default: null, help: 'run nothing: write a Slurm array of all runs to this file' },
  kubernetes: { default: null, help: 'run nothing: write a Kubernetes Job of all runs to this file' },
  write: { default: false, help: 'run nothing: write the table of the runs that are there' },
  results: { default: 'docs/results', help: 'folder for the table, its picture and its figures' },
} as const;

/** The arguments that a job of its own has to be given again: all but those that say how many run where. */
const kept = (args: readonly string[]): string[] => {
  const own = ['jobs', 'job', 'slurm', 'kubernetes', 'results'];
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const name = own.find((each) => args[i] === `--${each}` || args[i]!.startsWith(`--${each}=`));
    if (name === undefined) words.push(args[i]!);
    else if (args[i] === `--${name}`) i++;
  }
  return words;
};

/** Makes a table of the paper: runs what is missing of it, and writes it beside the published figures. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('paper', args, OPTIONS);
  const table = TABLES.find(({ name }) => name === options.table);
  if (table === undefined)
    throw options.table === null
      ? new IqLearnError('INVALID_ARGUMENT', 'no table to make', {
          found: 'no --table',
          expected: `one of ${TABLES.map(({ name }) => name).join(', ')}`,
        })
      : unknownName(
          'table',
          options.table,
          TABLES.map(({ name }) => name),
        );
  const settings: TableOptions = {
    data: options.data,
    seeds: integerList('seeds', options.seeds),
    episodes: options.episodes,
    updates: options.updates,
  };
  if (options['make-data'] > 0) {
    await makeDemonstrations(options.data, options['make-data']);
    return benchResult('paper', args, []);
  }
  const folder = join(options.runs, table.name);
  const all = table.jobs(settings);
  const chosen = all.filter(({ name }) => options.only === null || name.includes(options.only));
  const names = chosen.map(({ name }) => name);
  if (options.slurm !== null) writeFileAtomic(options.slurm, slurmScript(table.name, names, kept(args)));
  if (options.kubernetes !== null) writeFileAtomic(options.kubernetes, kubernetesJob(table.name, names, kept(args)));
  if (options.slurm !== null || options.kubernetes !== null) return benchResult('paper', args, []);
  if (options.job !== null) {
    await runJob(folder, jobNamed(all, options.job));
    return benchResult('paper', args, []);
  }
  if (!options.write) await runJobs(folder, chosen, options.jobs, kept(args));
  const results = all.flatMap(({ name }) => resultOf(folder, name) ?? []);
  const summary = table.summarise(results, settings);
  const result = benchResult('paper', args, summary.figures, { curves: summary.curves });
  const target = (extension: string): string => join(options.results, `${table.name}.${extension}`);
  writeFileAtomic(target('md'), documentOf(table, result, summary.document, summary.svg !== undefined));
  writeFileAtomic(target('json'), `${JSON.stringify(result, null, 2)}\n`);
  if (summary.svg !== undefined) writeFileAtomic(target('svg'), summary.svg);
  progress(`written to ${target('md')}`);
  return result;
}

function documentOf(table: PaperTable, result: BenchResult, text: string, picture: boolean): string {
  const versions = Object.entries(result.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `# ${table.name}: ${table.summary}`,
    '',
    `\`${result.command}\`, ${result.date.slice(0, 10)}, on ${result.machine}, with ${versions.join(', ')}.`,
    `All figures: [${table.name}.json](${table.name}.json).`,
    '',
    ...(picture ? [`![${table.summary}](${table.name}.svg)`, ''] : []),
    text,
    '',
  ].join('\n');
}
