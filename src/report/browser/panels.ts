import { labelOf } from '../data.js';
import { summarise } from '../statistics.js';
import { data } from './data.js';

/** A line of a panel. Its values are null where it has none. */
export interface Line {
  readonly label: string;
  /** The id of the candidate whose colour the line has, or 'ink' for the colour of text. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly dashed?: boolean;
  /** Whether the values are single episodes, which are drawn faintly as points. */
  readonly points?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  /** The range of y, where it is fixed. */
  readonly range?: readonly [number, number];
}

export type Axis = 'transitions' | 'seconds';

/** Episodes in a running mean: enough of them that a rate of success has a meaning. */
const WINDOW = 10;

function runningMean(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (i >= WINDOW ? values[i - WINDOW]! : 0);
    return sum / Math.min(i + 1, WINDOW);
  });
}

const idOf = (role: 'expert' | 'learned'): string =>
  data.candidates.find((candidate) => candidate.role === role)?.id ?? 'ink';
const [EXPERT, LEARNED] = [idOf('expert'), idOf('learned')];

const METRIC_PANELS: readonly { title: string; metrics: readonly (readonly [string, string, Line['colour']])[] }[] = [
  {
    title: 'Mean recovered reward',
    metrics: [
      ['train/reward_expert', 'on expert steps', EXPERT],
      ['train/reward_policy', 'on own steps', LEARNED],
    ],
  },
  { title: 'Critic loss', metrics: [['train/critic_loss', 'critic loss', 'ink']] },
  { title: 'Actor loss', metrics: [['train/actor_loss', 'actor loss', 'ink']] },
  { title: 'Policy entropy', metrics: [['train/entropy', 'nats', 'ink']] },
];

/** The learning curves against the chosen axis. */
export function learningPanels(axis: Axis): Panel[] {
  const xLabel = axis === 'transitions' ? 'own steps' : 'seconds';
  const { rollouts, points } = data.learning;
  const panels: Panel[] = [];
  if (rollouts.length > 0) {
    const x = rollouts.map((rollout) => rollout[axis]);
    // The learned policy is compared with the expert and the baselines; random actions would only stretch the axis.
    const others = data.candidates.filter(({ role }) => role === 'expert' || role === 'baseline');
    const constants = (of: 'mean' | 'successRate', scale: number): Line[] =>
      others.flatMap(({ id, label }) => {
        const result = data.results.find(({ policy }) => policy === id);
        if (result === undefined || result.episodes.length === 0) return [];
        const value = scale * summarise(result.episodes)[of];
        return [{ label, colour: id, dashed: true, values: x.map(() => value) }];
      });
    const returns = rollouts.map((rollout) => rollout.return);
    panels.push({
      title: 'Return while learning',
      xLabel,
      x,
      lines: [
        { label: 'episode', colour: LEARNED, values: returns, points: true },
        { label: `mean of ${WINDOW}`, colour: LEARNED, values: runningMean(returns) },
        ...constants('mean', 1),
      ],
    });
    if (data.hasSuccess)
      panels.push({
        title: 'Success while learning, %',
        xLabel,
        x,
        range: [0, 104],
        lines: [
          {
            label: `mean of ${WINDOW}`,
            colour: LEARNED,
            values: runningMean(rollouts.map(({ success }) => (success ? 100 : 0))),
          },
          ...constants('successRate', 100),
        ],
      });
  }
  const x = points.map((point) => point[axis]);
  for (const { title, metrics } of METRIC_PANELS) {
    const lines = metrics.flatMap(([name, label, colour]): Line[] => {
      const values = points.map((point) => point.metrics[name] ?? null);
      return values.some((value) => value !== null) ? [{ label, colour, values }] : [];
    });
    if (lines.length > 0) panels.push({ title, xLabel, x, lines });
  }
  return panels;
}

/** Recovered and true reward at each step, with one line for each episode. */
export function rewardPanels(): Panel[] {
  const longest = Math.max(0, ...data.rewards.map(({ recovered }) => recovered.length));
  const x = Array.from({ length: longest }, (_, t) => t);
  const lines = (key: 'recovered' | 'task'): Line[] =>
    data.rewards.map((trace) => ({
      label: labelOf(data, trace.policy),
      colour: trace.policy,
      values: x.map((t) => trace[key][t] ?? null),
    }));
  if (longest === 0) return [];
  return [
    { title: 'Recovered reward', xLabel: 'step', x, lines: lines('recovered') },
    { title: "The task's own reward", xLabel: 'step', x, lines: lines('task') },
  ];
}
