import type { LearnerSettings } from '../../src/learning/index.js';
import { fromStatesAlone, statesOnlyWays } from '../../src/training/index.js';
import { type Row, rowJobs, rowSummary } from './rows.js';
import type { PaperTable } from './table.js';

const DISCRETE: LearnerSettings = {
  agent: 'iq-soft-q',
  hiddenSizes: [64, 64],
  batchSize: 64,
  temperature: 0.01,
};

/** The environments, with what the paper has at 1 and at 10 demonstrations. */
const ENVIRONMENTS: Readonly<
  Record<string, Pick<Row, 'environment' | 'data' | 'settings' | 'online'> & { readonly published: readonly string[] }>
> = {
  cartpole: {
    environment: 'cartpole',
    data: 'cartpole',
    settings: DISCRETE,
    online: { steps: 8000, updatesPerStep: 1, every: 1000 },
    published: ['452', '485'],
  },
  lunarlander: {
    environment: 'gym:LunarLander-v3',
    data: 'lunarlander',
    settings: DISCRETE,
    online: { steps: 60_000, updatesPerStep: 1, every: 5000 },
    published: ['20', '220'],
  },
  hopper: {
    environment: 'hopper',
    data: 'hopper-v4',
    settings: { agent: 'iq-sac' },
    online: { steps: 60_000, updatesPerStep: 1, every: 5000 },
    published: ['2507', '3465'],
  },
};

const rows: readonly Row[] = Object.entries(ENVIRONMENTS).flatMap(([name, { published, settings, ...each }]) =>
  statesOnlyWays.flatMap((how) =>
    [1, 10].map(
      (demonstrations, i): Row => ({
        ...each,
        name: `${name}/${how}/${demonstrations}`,
        demonstrations,
        settings: fromStatesAlone(settings, how),
        published: published[i]!,
        ...(name === 'hopper' && { seeds: 3 }),
      }),
    ),
  ),
);

const NOTES = [
  'Demonstrations whose actions are not looked at. `policy`: the policy’s own actions stand in for them, as in the paper',
  '(§5.4); `inverse-dynamics`: a model that is learned from own steps infers them.',
].join('\n');

/** §5.4 of the paper: imitation from observations. */
export const states: PaperTable = {
  name: 'states',
  summary: 'CartPole, LunarLander and the hopper from states alone (Figure 3)',
  jobs: (options) => rowJobs(rows, options),
  summarise: (results) => rowSummary(rows, results, NOTES),
};
