import { blockValues, STATE_BLOCK } from '../common/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { DemonstrationEpisode } from './episode.js';
import type { Finding } from './finding.js';
import { lintJumps } from './lint-jumps.js';

/** Fewer transitions than this say nothing about features. */
const fewest = 100;
/** At most this many transitions are compared with each other. */
const compared = 400;

/** The named numbers of an episode's observations, n + 1 rows. */
function stateOf({ observation, observations }: DemonstrationEpisode): Float32Array {
  const at = observation.findIndex(({ name }) => name === STATE_BLOCK);
  return at < 0 ? new Float32Array(0) : (blockValues(observation, observations, 'episode')[at] as Float32Array);
}

interface Column {
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  readonly deviation: number;
}

function columnOf(rows: readonly Float32Array[], width: number, i: number): Column {
  let [low, high, sum, squares, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (const values of rows)
    for (let at = i; at < values.length; at += width) {
      const value = values[at]!;
      low = Math.min(low, value);
      high = Math.max(high, value);
      sum += value;
      count++;
    }
  const mean = sum / Math.max(1, count);
  for (const values of rows) for (let at = i; at < values.length; at += width) squares += (values[at]! - mean) ** 2;
  return { low, high, mean, deviation: Math.sqrt(squares / Math.max(1, count)) };
}

/** The distance between a float32 of this size and the next. */
const step = (value: number): number => 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 1e-30))) - 23);
const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Names for a line: the first few of them. */
function some(names: readonly string[]): string {
  return names.length <= 6 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

function coarse(columns: readonly Column[], spec: RobotSpec): Finding[] {
  const names = spec.observation.flatMap(({ name, unit }, i) => {
    const { low, high } = columns[i]!;
    const size = step(Math.max(Math.abs(low), Math.abs(high)));
    return high > low && high - low < 256 * size ? [`${name} (steps of ${short(size)} ${unit})`] : [];
  });
  return names.length === 0
    ? []
    : [
        {
          level: 'warn',
          check: 'coarse numbers',
          source: null,
          found: `${some(names)} so far from 0 that a float32 takes few values over their whole spread`,
          expected: 'numbers whose differences a float32 can tell apart',
          remedy: 'observe it relative_to a pose that is near, or have the driver give it from a near origin',
        },
      ];
}

function unchanging(columns: readonly Column[], spec: RobotSpec): Finding[] {
  const names = spec.observation.flatMap(({ name }, i) => {
    const { low, high } = columns[i]!;
    return high - low <= 1.5 * step(Math.max(Math.abs(low), Math.abs(high))) ? [`${name} (${short(low)})`] : [];
  });
  return names.length === 0 || names.length === columns.length
    ? []
    : [
        {
          level: 'note',
          check: 'unchanging features',
          source: null,
          found: `${some(names)} never changes`,
          expected: 'features that differ from one situation to another',
          remedy:
            'check the sensor and the limits of the feature, or leave it out; what varies on the robot is new to a policy',
        },
      ];
}

/** Features that are the command of the step before, measured: a policy may learn to repeat itself by them. */
function echoes(episodes: readonly DemonstrationEpisode[], rows: readonly Float32Array[], spec: RobotSpec): Finding[] {
  const width = spec.observation.length;
  const found = spec.observation.flatMap(({ name }, i) =>
    spec.action.flatMap((action, j) => {
      const pairs = episodes.flatMap(({ actions, actionSize, length }, e) =>
        Array.from({ length }, (_, t) => [rows[e]![(t + 1) * width + i]!, actions[t * actionSize + j]!] as const),
      );
      return correlation(pairs) > 0.975 ? [`${name} follows ${action.name}`] : [];
    }),
  );
  return found.length === 0
    ? []
    : [
        {
          level: 'note',
          check: 'echo of the command',
          source: null,
          found: some(found),
          expected: 'features that say what the situation is, not what was just commanded',
          remedy: 'train once without them: a policy that observes its own command may learn to repeat it',
        },
      ];
}

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const n = pairs.length;
  const mean = (k: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[k], 0) / n;
  const [a, b] = [mean(0), mean(1)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [x, y] of pairs) {
    ab += (x - a) * (y - b);
    aa += (x - a) ** 2;
    bb += (y - b) ** 2;
  }
  return aa > 1e-9 * n && bb > 1e-9 * n ? ab / Math.sqrt(aa * bb) : 0;
}

/** Whether different episodes answer nearly the same observation by different actions. */
function contradictions(
  episodes: readonly DemonstrationEpisode[],
  rows: readonly Float32Array[],
  columns: readonly Column[],
  spec: RobotSpec,
): Finding[] {
  const width = spec.observation.length;
  const varying = columns.flatMap(({ deviation }, i) => (deviation > 1e-6 ? [i] : []));
  const total = episodes.reduce((sum, { length }) => sum + length, 0);
  const every = Math.max(1, Math.ceil(total / compared));
  const points: { episode: number; seen: Float64Array; done: Float64Array }[] = [];
  let index = 0;
  episodes.forEach(({ actions, actionSize, length }, episode) => {
    for (let t = 0; t < length; t++) {
      if (index++ % every !== 0) continue;
      const seen = Float64Array.from(varying, (i) => rows[episode]![t * width + i]! / columns[i]!.deviation);
      const done = Float64Array.from(spec.action, ({ low, high }, j) => actions[t * actionSize + j]! / (high - low));
      points.push({ episode, seen, done });
    }
  });
  // A tenth of a standard deviation in every feature is nearly the same.
  const nearness = 0.01 * varying.length;
  const between = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
  const differences: number[] = [];
  const own: number[] = [];
  for (let a = 0; a < points.length; a++)
    for (let b = a + 1; b < points.length; b++) {
      const [p, q] = [points[a]!, points[b]!];
      if (between(p.seen, q.seen) > nearness) continue;
      (p.episode === q.episode ? own : differences).push(
        p.done.reduce((most, x, i) => Math.max(most, Math.abs(x - q.done[i]!)), 0),
      );
    }
  if (differences.length < 20) return [];
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
  const typical = middle(differences);
  // Within an episode actions differ, too, where they change fast.
  if (typical < 0.3 || typical < 2 * middle(own)) return [];
  return [
    {
      level: 'warn',
      check: 'contradicting demonstrations',
      source: null,
      found: `in nearly the same situation, actions of different episodes differ by ${(100 * typical).toFixed(0)} % of their range`,
      expected: 'one way to do the task in each situation, or a feature that says which way it is',
      remedy: 'record again in one way, or observe what the person decided by',
    },
  ];
}

/** Episodes that begin with the robot standing although it is commanded. */
function idleBeginnings(episodes: readonly DemonstrationEpisode[], spec: RobotSpec): Finding[] {
  const idle = episodes.map(({ actions, actionSize, length }) => {
    const rest = spec.action.map(({ stop }, j) => (stop === 'zero' ? 0 : actions[j]!));
    for (let t = 0; t < length; t++)
      if (
        spec.action.some(({ low, high }, j) => Math.abs(actions[t * actionSize + j]! - rest[j]!) > 0.01 * (high - low))
      )
        return t;
    return 0;
  });
  const long = idle.filter((steps, e) => steps > spec.rateHz && steps > 0.05 * episodes[e]!.length);
  if (long.length === 0) return [];
  return [
    {
      level: 'warn',
      check: 'idle beginning',
      source: null,
      found: `${long.length} of ${episodes.length} episodes begin with up to ${short(Math.max(...long) / spec.rateHz)} s of standing still`,
      expected: 'demonstrations that begin with what is to be learnt',
      remedy: 'cut the beginning off (iq-learn trim --from), or start an episode when the person is ready',
    },
  ];
}

/** Checks what is observed: numbers that are too coarse, never change or echo the command, and demonstrations that contradict each other. */
export function lintFeatures(episodes: readonly DemonstrationEpisode[], spec: RobotSpec): Finding[] {
  const total = episodes.reduce((sum, { length }) => sum + length, 0);
  if (spec.observation.length === 0 || total < fewest) return idleBeginnings(episodes, spec);
  const rows = episodes.map(stateOf);
  const columns = spec.observation.map((_, i) => columnOf(rows, spec.observation.length, i));
  return [
    ...idleBeginnings(episodes, spec),
    ...coarse(columns, spec),
    ...unchanging(columns, spec),
    ...lintJumps(episodes, rows, spec),
    ...echoes(episodes, rows, spec),
    // What the numbers beside an image do not tell apart, the image may.
    ...(spec.blocks === undefined ? contradictions(episodes, rows, columns, spec) : []),
  ];
}
