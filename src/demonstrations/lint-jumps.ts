import { isWrapped } from '../common/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { DemonstrationEpisode } from './episode.js';
import type { Finding } from './finding.js';

/** A step that is so many times as long as all but one in a hundred, and longer than this, is no motion. */
const TIMES = 10;
const SHORTEST: Readonly<Record<string, number>> = { rad: 0.3, m: 0.05 };
/** Of an odometry, in metres: a vehicle may be pushed. */
const SHORTEST_OF_ODOMETRY = 0.5;

/** A position that a robot passes continuously. */
interface Position {
  readonly name: string;
  /** Its place in the observation. */
  readonly at: number;
  readonly unit: string;
  readonly shortest: number;
  /** The place in the action of the command that moves it; undefined where it is none of its own. */
  readonly command: number | undefined;
}

/** Joints that their own position commands move, wheels, and the places of odometries. */
function positionsOf(spec: RobotSpec): Position[] {
  const hasJoints = spec.action.some(({ quantity, path }) => quantity !== undefined || !path.includes('.'));
  const speeds = spec.action.filter(({ quantity, unit }) => quantity === undefined && unit === 'm/s');
  const fastest = Math.max(0, ...speeds.map(({ low, high }) => Math.max(Math.abs(low), Math.abs(high))));
  return spec.observation.flatMap(({ name, source, unit, lag }, at): Position[] => {
    if (lag !== undefined) return [];
    if (source.kind === 'joint' && source.quantity === 'position' && SHORTEST[unit] !== undefined) {
      const own = spec.action.findIndex(({ path, quantity }) => path === source.joint && quantity === 'position');
      if (own < 0 && hasJoints) return [];
      return [{ name, at, unit, shortest: SHORTEST[unit], command: own < 0 ? undefined : own }];
    }
    if (source.kind !== 'field' || !/^pose\.pose\.position\.[xyz]$/.test(source.path)) return [];
    const shortest = Math.max(SHORTEST_OF_ODOMETRY, (3 * fastest) / spec.rateHz);
    return [{ name, at, unit, shortest, command: undefined }];
  });
}

interface Jump {
  readonly episode: DemonstrationEpisode;
  /** The step before it. */
  readonly t: number;
  readonly by: number;
  readonly isWrap: boolean;
}

/** Whether the command goes about as far within a quarter of a second before and after: a gripper may snap shut within a step. */
function isCommanded(
  { episode: { actions, actionSize, length }, t, by }: Jump,
  command: number,
  rateHz: number,
): boolean {
  const window = Math.ceil(rateHz / 4);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = Math.max(0, t - window); k <= Math.min(length - 1, t + window); k++) {
    low = Math.min(low, actions[k * actionSize + command]!);
    high = Math.max(high, actions[k * actionSize + command]!);
  }
  return high - low >= 0.5 * Math.abs(by);
}

function jumpsOf(
  { at, unit, shortest, command }: Position,
  episodes: readonly DemonstrationEpisode[],
  rows: readonly Float32Array[],
  spec: RobotSpec,
): Jump[] {
  const width = spec.observation.length;
  const steps = episodes.flatMap((episode, e) =>
    Array.from({ length: episode.length }, (_, t): Jump => {
      const [before, now] = [rows[e]![t * width + at]!, rows[e]![(t + 1) * width + at]!];
      return { episode, t, by: now - before, isWrap: unit === 'rad' && isWrapped(before, now) };
    }),
  );
  const lengths = steps.flatMap(({ by, isWrap }) => (isWrap ? [] : [Math.abs(by)])).sort((a, b) => a - b);
  const most = Math.max(shortest, TIMES * (lengths[Math.floor(0.99 * lengths.length)] ?? 0));
  const isTold = (step: Jump): boolean =>
    Math.abs(step.by) > most && !(command !== undefined && isCommanded(step, command, spec.rateHz));
  return steps.filter((step) => step.isWrap || isTold(step));
}

/**
 * Positions that jump within an episode: an encoder or an odometry that was set anew, and angles that are given within
 * one turn. `rows` are the named numbers of the episodes' observations.
 */
export function lintJumps(
  episodes: readonly DemonstrationEpisode[],
  rows: readonly Float32Array[],
  spec: RobotSpec,
): Finding[] {
  const texts: { readonly text: string; readonly isWrap: boolean }[] = [];
  for (const position of positionsOf(spec)) {
    const jumps = jumpsOf(position, episodes, rows, spec);
    for (const isWrap of [true, false]) {
      const [first, ...more] = jumps.filter((jump) => jump.isWrap === isWrap);
      if (first === undefined) continue;
      const { episode, t, by } = first;
      const when = `step ${t + 1} of ${episode.source}`;
      const again = more.length === 0 ? '' : ` and ${more.length} times more`;
      texts.push({ isWrap, text: `${position.name} by ${by.toPrecision(3)} ${position.unit} at ${when}${again}` });
    }
  }
  return [true, false].flatMap((isWrap): Finding[] => {
    const own = texts.filter((each) => each.isWrap === isWrap).map(({ text }) => text);
    if (own.length === 0) return [];
    return [
      {
        level: 'warn',
        check: 'jumping position',
        source: null,
        found: `from one control period to the next, ${own.slice(0, 4).join('; ')}${own.length > 4 ? ` and ${own.length - 4} more` : ''}`,
        expected: isWrap
          ? 'an angle that counts on: this one is given within one turn, and its end and beginning are far apart for a policy'
          : 'a position that the robot passes: this one was set anew, or corrected',
        remedy: isWrap
          ? 'have the driver count on, or keep the joint within its turn'
          : 'leave the episode out, or end one where the position is set anew',
      },
    ];
  });
}
