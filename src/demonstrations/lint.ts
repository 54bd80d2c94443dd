import {
  type BlockArray,
  blockValues,
  describeObservation,
  IqLearnError,
  STATE_BLOCK,
  sameBlocks,
  shapeSize,
} from '../common/index.js';
import { observationOf, PolicyActions, type RobotSpec } from '../robot/index.js';
import type { DemonstrationEpisode } from './episode.js';
import type { Finding } from './finding.js';
import { lintFeatures } from './lint-features.js';
import { lintImages } from './lint-images.js';
import { lintSurveys } from './lint-surveys.js';
import type { DemonstrationReport } from './report.js';

const percent = (fraction: number): string => `${(100 * fraction).toFixed(0)} %`;

/** Smallest and largest value of column `i` of rows `width` wide. */
function rangeOf(values: BlockArray, width: number, i: number): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let at = i; at < values.length; at += width) {
    const value = values[at]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function isConstant(values: BlockArray, width: number, i: number, span: number): boolean {
  const [low, high] = rangeOf(values, width, i);
  return high - low <= 1e-6 * (Number.isFinite(span) && span > 0 ? span : Math.max(1, Math.abs(low)));
}

const span = ({ low, high }: { readonly low: number; readonly high: number }): number => high - low;

/** Whether no number of any block changes in an episode. */
function isStill({ observation, observations }: DemonstrationEpisode, spec: RobotSpec): boolean {
  return blockValues(observation, observations, 'episode').every((values, b) => {
    const { name, shape } = observation[b]!;
    const spans = name === STATE_BLOCK ? spec.observation.map(span) : [];
    const size = shapeSize(shape);
    for (let i = 0; i < size; i++) if (!isConstant(values, size, i, spans[i] ?? Number.POSITIVE_INFINITY)) return false;
    return true;
  });
}

function lintEpisode(episode: DemonstrationEpisode, spec: RobotSpec): Finding[] {
  const { source, length, observation, observations, actions, actionSize, stamps } = episode;
  const expected = observationOf(spec);
  const finding = (
    level: Finding['level'],
    check: Finding['check'],
    found: string,
    expected: string,
    remedy: string,
  ) => [{ level, check, source, found, expected, remedy }];
  if (!sameBlocks(observation, expected) || actionSize !== spec.action.length)
    return finding(
      'error',
      'shape',
      `observations of ${describeObservation(observation)} and actions of ${actionSize} numbers`,
      `${describeObservation(expected)} and ${spec.action.length}, as ${spec.robot} has`,
      'read the demonstrations with the description of their robot',
    );
  if (length === 0)
    return finding('error', 'empty', 'no transition', 'at least one', 'remove the episode, or record it again');
  const blocks = blockValues(observation, observations, 'episode');
  if (!blocks.every((values) => values.every(Number.isFinite)) || !actions.every(Number.isFinite))
    return finding('error', 'not finite', 'NaN or infinite numbers', 'finite numbers', 'record the episode again');
  const out: Finding[] = [];
  if (length > 1 && spec.action.every((feature, i) => isConstant(actions, actionSize, i, span(feature))))
    out.push(
      ...finding(
        'warn',
        'constant action',
        `the same action ${length} times (${[...actions.subarray(0, actionSize)].map((v) => v.toPrecision(3)).join(', ')})`,
        'actions that answer what is observed',
        'check that the teleoperation was on, and record the episode again',
      ),
    );
  if (isStill(episode, spec))
    out.push(
      ...finding(
        'error',
        'never moving',
        `no observation changes over ${length} steps`,
        'a robot that moves, or a sensor that notices it',
        'check that the state topics are alive, and record the episode again',
      ),
    );
  if (stamps !== null) {
    const steps = Array.from(stamps.subarray(1), (stamp, k) => Number(stamp - stamps[k]!)).sort((a, b) => a - b);
    const rate = 1e9 / steps[steps.length >> 1]!;
    if (!(Math.abs(rate / spec.rateHz - 1) <= 0.05))
      out.push(
        ...finding(
          'error',
          'mixed rates',
          `${rate.toPrecision(4)} steps a second`,
          `${spec.rateHz}, the control rate of ${spec.robot}`,
          'read the recording again with the rate the policy will run at',
        ),
      );
  }
  return out;
}

/** A number of the action, or what a policy gives in its place. */
type ActionNumber = Pick<RobotSpec['action'][number], 'name' | 'unit' | 'low' | 'high'>;

/** Checks column `i` of the actions of every episode, in rows of `size`. */
function lintAction(feature: ActionNumber, i: number, actions: readonly Float32Array[], size: number): Finding[] {
  const { name, unit, low, high } = feature;
  const total = actions.reduce((sum, { length }) => sum + length / size, 0);
  const slack = 1e-3 * (high - low);
  let beyond = 0;
  let saturated = 0;
  let extreme = 0;
  for (const values of actions)
    for (let at = i; at < values.length; at += size) {
      const value = values[at]!;
      const excess = Math.max(low - value, value - high);
      if (excess > slack) beyond++;
      if (excess > extreme) extreme = excess;
      if (excess >= -slack) saturated++;
    }
  const out: Finding[] = [];
  const limits = `${low}…${high} ${unit}`;
  if (beyond > 0)
    out.push({
      level: beyond > 0.05 * total ? 'error' : 'warn',
      check: 'beyond limits',
      source: null,
      found: `${name} beyond its limits in ${beyond} of ${total} steps, by up to ${extreme.toPrecision(3)} ${unit}`,
      expected: limits,
      remedy:
        unit.startsWith('rad') && extreme > 2 * (high - low)
          ? 'have who commands give radians (degrees × 0.0174533), or widen the limits in the description'
          : 'limit the teleoperation to what the robot does, or widen the limits in its description',
    });
  if (saturated > 0.9 * total)
    out.push({
      level: 'warn',
      check: 'saturated',
      source: null,
      found: `${name} at its limits in ${percent(saturated / total)} of the steps`,
      expected: `values within ${limits}`,
      remedy: 'demonstrate more gently, or check the scale of the teleoperation',
    });
  else if (actions.length > 0 && actions.every((values) => isConstant(values, size, i, high - low)))
    out.push({
      level: 'warn',
      check: 'unused action',
      source: null,
      found: `${name} never changes within an episode`,
      expected: 'every action used at least once',
      remedy: 'remove it from the description, or demonstrate its use',
    });
  return out;
}

/** Checks the commands, and of deltas what a policy would give for them, too. */
function lintActions(episodes: readonly DemonstrationEpisode[], spec: RobotSpec): Finding[] {
  const policy = new PolicyActions(spec);
  const size = spec.action.length;
  const commands = episodes.map(({ actions }) => actions);
  const given = episodes.map(({ actions, observations }) => policy.fromCommands(actions, observations));
  return spec.action.flatMap((feature, i) => [
    ...lintAction(feature, i, commands, size),
    ...(feature.delta === undefined ? [] : lintAction(policy.features[i]!, i, given, size)),
  ]);
}

/**
 * Episodes that a person marked as failures, among others that succeeded. Where none did, the task has no success: a
 * simulated one says of every episode that it had none.
 */
function lintOutcomes(episodes: readonly DemonstrationEpisode[]): Finding[] {
  const sources = (success: boolean): number =>
    new Set(episodes.filter((episode) => episode.success === success).map(({ source }) => source)).size;
  const [won, lost] = [sources(true), sources(false)];
  if (won === 0 || lost === 0) return [];
  return [
    {
      level: 'warn',
      check: 'failures',
      source: null,
      found: `${lost} episodes are marked as failures, ${won} as successes`,
      expected: 'demonstrations of what is wanted: a failure is imitated as a success is',
      remedy: 'throw failures away while recording (discard), or leave them out with iq-learn trim',
    },
  ];
}

/** The parts of an episode that was cut are told as one: a keyboard gives a constant action between any two keys. */
function onePerSource(out: Finding[], constant: readonly Finding[]): void {
  for (const source of new Set(constant.map((finding) => finding.source))) {
    const [first, ...more] = constant.filter((finding) => finding.source === source);
    if (first === undefined || more.length === 0) continue;
    for (const finding of more) out.splice(out.indexOf(finding), 1);
    const found = `${first.found}, and ${more.length} other parts of it with an action of their own`;
    out[out.indexOf(first)] = { ...first, found };
  }
}

function asError(out: Finding[], finding: Finding): Finding {
  const error: Finding = { ...finding, level: 'error' };
  out[out.indexOf(finding)] = error;
  return error;
}

/** With fewer transitions than this in total, learning is a matter of luck. */
const fewTransitions = 100;

/**
 * Checks demonstrations for what makes learning fail: constant actions, empty or unmoving episodes, mixed rates,
 * actions beyond the limits or always at them, recordings of which most is missing (given the `report` of reading them),
 * too few transitions. Errors should stop training ({@link refusePoorDemonstrations}); warnings should be shown.
 */
export function lintDemonstrations(
  episodes: readonly DemonstrationEpisode[],
  spec: RobotSpec,
  report?: DemonstrationReport,
): Finding[] {
  if (episodes.length === 0)
    return [
      {
        level: 'error',
        check: 'none',
        source: null,
        found: 'no episode',
        expected: 'at least one demonstration',
        remedy: `record one: iq-learn record --robot ${spec.robot}`,
      },
    ];
  const out = episodes.flatMap((episode) => lintEpisode(episode, spec));
  const constant = out.filter(({ check }) => check === 'constant action');
  const areAll = constant.length === episodes.length;
  onePerSource(out, areAll ? constant.map((finding) => asError(out, finding)) : constant);
  if (out.every(({ check }) => check !== 'shape' && check !== 'not finite'))
    out.push(...lintActions(episodes, spec), ...lintFeatures(episodes, spec), ...lintImages(episodes, spec));
  out.push(...lintOutcomes(episodes));
  const total = episodes.reduce((sum, { length }) => sum + length, 0);
  if (total < fewTransitions)
    out.push({
      level: total < 10 ? 'error' : 'warn',
      check: 'too few',
      source: null,
      found: `${total} transitions`,
      expected: `at least ${fewTransitions}`,
      remedy: 'record longer or more demonstrations',
    });
  out.push(...lintSurveys(report?.recordings ?? [], spec));
  for (const { path, transitions, ticks } of report?.recordings ?? []) {
    const missing = Object.values(ticks).reduce((sum, count) => sum + count, 0);
    const fraction = missing / Math.max(1, missing + transitions);
    if (fraction > 0.1)
      out.push({
        level: fraction > 0.5 ? 'error' : 'warn',
        check: 'mostly missing',
        source: path,
        found: `${percent(fraction)} of the control periods cannot be used (${Object.entries(ticks)
          .filter(([, count]) => count > 0)
          .map(([reason, count]) => `${reason}: ${count}`)
          .join(', ')})`,
        expected: 'all of them, but for a few',
        remedy: 'check rate and loss of the topics, and the time limits in the description of the robot',
      });
  }
  return out;
}

/** A finding as one line of text. */
export function describeFinding({ level, check, source, found, expected, remedy }: Finding): string {
  return `${level}: ${check}${source === null ? '' : ` in ${source}`}; found: ${found}; expected: ${expected}; to do: ${remedy}`;
}

/** Throws CORRUPT_DATA with every error among the findings; warnings pass. */
export function refusePoorDemonstrations(findings: readonly Finding[]): void {
  const errors = findings.filter(({ level }) => level === 'error');
  const [first] = errors;
  if (first === undefined) return;
  throw new IqLearnError('CORRUPT_DATA', 'the demonstrations cannot be learnt from', {
    found: errors
      .map(({ check, source, found }) => `${check}${source === null ? '' : ` in ${source}`}: ${found}`)
      .join('; '),
    expected: first.expected,
    remedy: first.remedy,
  });
}
