import type { LearnerSettings } from '../../src/learning/index.js';
import { trainingSettings } from '../../src/sessions/index.js';
import { type Row, rowJobs, rowSummary } from './rows.js';
import type { PaperTable } from './table.js';

/** The demonstrators, each with the task, the length of a run and what the paper's Table 3 has for the task. */
const DEMONSTRATORS = {
  hopper: { task: 'hopper', data: 'hopper-v4', steps: 60_000, updates: 1, published: 'IQ-Learn 3546.4 of 3532.7' },
  'hopper-trpo': {
    task: 'hopper',
    data: 'hopper-trpo',
    steps: 60_000,
    updates: 1,
    published: 'IQ-Learn 3546.4 of 3532.7',
  },
  halfcheetah: {
    task: 'halfcheetah',
    data: 'halfcheetah-v4',
    steps: 100_000,
    updates: 0.5,
    published: 'IQ-Learn 5076.6 of 5098.3',
  },
  walker2d: {
    task: 'walker2d',
    data: 'walker2d-trpo',
    steps: 80_000,
    updates: 1,
    published: 'IQ-Learn 5134.0 of 5274.5',
  },
  // One update every two steps: as many steps as with each, and half the time.
  ant: {
    task: 'ant',
    data: 'ant-trpo',
    steps: 300_000,
    updates: 0.5,
    published: 'IQ-Learn 4362.9 of 4700',
  },
} as const;

/** Baselines on the same demonstration with the same steps; DAC's figures are those of the paper's Table 3. */
const BASELINES = {
  cloning: { agent: 'cloning' },
  sqil: { agent: 'sqil' },
  dac: { agent: 'dac' },
} as const satisfies Readonly<Record<string, LearnerSettings>>;
const PUBLISHED_DAC: Readonly<Record<string, string>> = {
  hopper: 'DAC 3305.1',
  halfcheetah: 'DAC 4080.6',
};

const EVERY = 5000;

const rows: readonly Row[] = [
  ...Object.entries(DEMONSTRATORS).map(
    ([name, { task, data, steps, updates, published }]): Row => ({
      name: `${name}/iq-sac`,
      environment: task,
      data,
      demonstrations: 1,
      settings: trainingSettings(task).config,
      online: { steps, updatesPerStep: updates, every: EVERY },
      published,
    }),
  ),
  ...(['hopper', 'halfcheetah'] as const).flatMap((name) =>
    Object.entries(BASELINES).map(([method, settings]): Row => {
      const { task, data, steps, updates } = DEMONSTRATORS[name];
      const row = { name: `${name}/${method}`, environment: task, data, demonstrations: 1, settings, seeds: 3 };
      if (method === 'cloning') return row;
      const published = method === 'dac' ? PUBLISHED_DAC[name] : undefined;
      return {
        ...row,
        online: { steps, updatesPerStep: updates, every: EVERY },
        ...(published !== undefined && { published }),
      };
    }),
  ),
];

const NOTES = [
  'One demonstration of 1,000 steps, `--data` with the .npz files of the demonstrators. Where a run acts, the policy that',
  'is deployed is the one that it chose itself without a reward, by the distance of what it does from the demonstration',
  '(SQIL and DAC get the same choice); of cloning it is the last. The starts were used for nothing else. Fractions are of',
  'the demonstrator’s mean.',
].join('\n');

/** Table 3 of the paper: online imitation of MuJoCo's robots from one demonstration. */
export const online: PaperTable = {
  name: 'online',
  summary: 'robots of MuJoCo from one demonstration, with own steps (Table 3), beside cloning, SQIL and DAC',
  jobs: (options) => rowJobs(rows, options),
  summarise: (results) => rowSummary(rows, results, NOTES),
};
