import { blockValues, IqLearnError, STATE_BLOCK } from '../../common/index.js';
import {
  type DemonstrationEpisode,
  describeFinding,
  lintDemonstrations,
  openRecording,
  type ReadOptions,
  type RecordedTopic,
  readDemonstrations,
  summariseRecording,
} from '../../demonstrations/index.js';
import { count, duration } from '../../report/index.js';
import { loadRobotSpec, type RobotSpec, robotNames } from '../../robot/index.js';
import { columns } from '../table.js';
import { bound, facts, imageRows } from './describe.js';

export interface RecordingOptions extends ReadOptions {
  /** The robot through whose description a recording is looked at; default: the one that it names. */
  readonly robot?: string;
}

/** The robot of a recording; undefined where this installation has no description of it. */
function specOf(robot: string): RobotSpec | undefined {
  return robotNames().includes(robot) ? loadRobotSpec(robot) : undefined;
}

/** Describes a recording: its topics, and through the description of a robot its episodes, losses, features and findings. */
export async function describeRecording(path: string, { robot, ...options }: RecordingOptions = {}): Promise<string> {
  const reader = await openRecording(path);
  const [from, to] = reader.timesNs ?? [0n, 0n];
  const seconds = Number(to - from) / 1e9;
  const parts = [
    `Recording ${reader.path}`,
    facts([
      ['robot', reader.info?.robot ?? 'not said: made by another program'],
      ['made by', reader.info?.software ?? '–'],
      ['duration', duration(seconds)],
      ['messages', count(reader.messageCount)],
    ]),
    `Topics\n${columns([...reader.topics.values()].map((topic) => topicRow(topic, seconds)))}`,
  ];
  const named = robot ?? reader.info?.robot;
  const spec = robot !== undefined ? loadRobotSpec(robot) : named === undefined ? undefined : specOf(named);
  if (spec !== undefined)
    parts.push(...(await throughRobot(path, spec, options, [...reader.topics.values()], seconds)));
  else if (reader.info === null)
    parts.push('--robot NAME shows its episodes, what is left out of it and why, and its features.');
  if (reader.problems.length > 0) parts.push(`Problems\n${reader.problems.map((line) => `  ${line}`).join('\n')}`);
  return parts.join('\n\n');
}

function topicRow({ topic, type, messages, unreadable }: RecordedTopic, seconds: number): string[] {
  const rate = seconds > 0 && messages > 1 ? `${((messages - 1) / seconds).toPrecision(3)} Hz` : '';
  const mark =
    unreadable !== null
      ? `cannot be read: ${unreadable.found ?? unreadable.message}${unreadable.code === 'MISMATCH' ? `, expected ${unreadable.expected}` : ''}`
      : messages === 0
        ? 'silent: no message was recorded'
        : '';
  return [`  ${topic}`, type, count(messages), rate, mark];
}

/** The robot's images with the rate at which they were recorded; the topic may be under a namespace. */
function imageTable(spec: RobotSpec, topics: readonly RecordedTopic[], seconds: number): string[][] {
  return imageRows(spec.blocks, spec.images).map((row, i) => {
    const { topic } = spec.images![i]!;
    const recorded = topics.find((each) => each.topic === topic || each.topic.endsWith(topic));
    return [...row, recorded === undefined ? '' : topicRow(recorded, seconds)[3]!];
  });
}

async function throughRobot(
  path: string,
  spec: RobotSpec,
  options: ReadOptions,
  topics: readonly RecordedTopic[],
  seconds: number,
): Promise<string[]> {
  try {
    const { episodes, report } = await readDemonstrations([path], spec, options);
    const findings = lintDemonstrations(episodes, spec, report).map(describeFinding);
    return [
      `Episodes as ${spec.robot} sees them (${episodes.length})\n${columns(episodes.map(episodeRow))}`,
      `Used\n${report.recordings.map((recording) => `  ${summariseRecording(recording)}`).join('\n')}`,
      featureTable(episodes, spec),
      ...(spec.blocks === undefined ? [] : [`Images\n${columns(imageTable(spec, topics, seconds))}`]),
      ...(findings.length > 0 ? [`Findings\n${findings.map((line) => `  ${line}`).join('\n')}`] : []),
    ];
  } catch (error) {
    // What the recording holds is worth seeing also where nothing of it can be used.
    if (!(error instanceof IqLearnError)) throw error;
    return [`Episodes as ${spec.robot} sees them: none\n  ${error.message}`];
  }
}

function episodeRow({ source, length, success, seed }: DemonstrationEpisode): string[] {
  return [
    `  ${source.slice(source.lastIndexOf('/') + 1)}`,
    `${length} steps`,
    success === null ? '–' : success ? 'success' : 'failure',
    seed === null ? '' : `seed ${seed}`,
  ];
}

/** Of each feature and action: its limits, what was recorded of it, and how it goes in the first episode. */
function featureTable(episodes: readonly DemonstrationEpisode[], spec: RobotSpec): string {
  const states = episodes.map(({ observation, observations }) => {
    const at = observation.findIndex(({ name }) => name === STATE_BLOCK);
    return at < 0 ? new Float32Array(0) : blockValues(observation, observations, 'episode')[at]!;
  });
  const actions = episodes.map((episode) => episode.actions);
  const row = (
    feature: RobotSpec['observation'][number] | RobotSpec['action'][number],
    i: number,
    width: number,
    lists: readonly ArrayLike<number>[],
  ): string[] => {
    const series = lists.map((list) =>
      Array.from({ length: Math.floor(list.length / width) }, (_, k) => list[k * width + i]!),
    );
    const all = series.flat();
    const low = all.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    const high = all.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const shown = (value: number): string => String(Number(value.toPrecision(4)));
    const limits = `${bound(feature.low)} … ${bound(feature.high)}`;
    return [`  ${feature.name}`, feature.unit, limits, shown(low), shown(high), plot(series[0] ?? [], low, high)];
  };
  return `Features and actions\n${columns([
    ['  name', 'unit', 'limits', 'from', 'to', 'first episode'],
    ...spec.observation.map((feature, i) => row(feature, i, spec.observation.length, states)),
    ...spec.action.map((feature, i) => row(feature, i, spec.action.length, actions)),
  ])}`;
}

const heights = '▁▂▃▄▅▆▇█';
const plotWidth = 32;

/** A series as a line of bars, from `low` to `high`. */
function plot(series: readonly number[], low: number, high: number): string {
  const width = Math.min(plotWidth, series.length);
  return Array.from({ length: width }, (_, k) => {
    const value = series[Math.floor((k * series.length) / width)]!;
    return heights[high > low ? Math.min(7, Math.floor((8 * (value - low)) / (high - low))) : 0];
  }).join('');
}
