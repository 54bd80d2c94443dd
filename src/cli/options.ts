import { Option } from 'commander';
import { IqLearnError, unknownName } from '../common/index.js';
import { type Device, devices } from '../engine/index.js';
import { type AgentName, agentNames, type LearnerSettings } from '../learning/index.js';
import { defaultMetricsSinks, type MetricsSinkName, parseMetricsSinks } from '../platform/index.js';
import { robotNames } from '../robot/index.js';
import type { TrainingSettings } from '../simulation/index.js';
import { fromStatesAlone, type StatesOnly, statesOnlyWays } from '../training/index.js';

function refuse(flag: string, text: string, expected: string, example: string): never {
  throw new IqLearnError('INVALID_ARGUMENT', `bad value of ${flag}`, {
    found: `'${text}'`,
    expected,
    remedy: `for example ${flag} ${example}`,
  });
}

/** Makes a parser for whole numbers from `low` to `high`. */
export function integer(flag: string, low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high)) refuse(flag, text, `a whole number in ${low}…${high}`, String(low));
    return value;
  };
}

/** Parses where a page of health is served: a host with a port, or off. */
export function healthAddress(text: string): string {
  const port = /^[^\s:]+:(\d{1,5})$|^\[[\da-f:]+\]:(\d{1,5})$/i
    .exec(text)
    ?.slice(1)
    .find((digits) => digits !== undefined);
  if (text !== 'off' && !(Number(port) <= 65_535))
    refuse('--health', text, 'an address of this machine with a port up to 65535, or off', '127.0.0.1:8787');
  return text;
}

/** Parses the name of a run. It becomes the name of a folder, so it must not lead to another one. */
export function runName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text))
    refuse('--name', text, 'letters, digits, dots, dashes and underscores', 'my-first-run');
  return text;
}

/** Makes a parser for one of the known names. For any other it throws NOT_FOUND, which proposes the nearest name. */
export function oneOf<Name extends string>(kind: string, known: readonly Name[]): (text: string) => Name {
  return (text) => {
    const name = known.find((each) => each === text);
    if (name === undefined) throw unknownName(kind, text, known);
    return name;
  };
}

/** Parses the name of a shipped robot (config/robots), or the path of a RobotSpec, which is read later. */
export function robot(text: string): string {
  if (/[\\/]|\.ya?ml$/.test(text)) return text;
  return oneOf('robot', robotNames())(text);
}

export const actionOption = (): Option =>
  new Option(
    '--action <topic>',
    'topic of the recording that carries the actions: teleop (what the person sent) or command (default: teleop if it has messages)',
  ).argParser(oneOf('source of actions', ['teleop', 'command']));

export const namespaceOption = (): Option =>
  new Option('--namespace <name>', "where the robot's topics stand in the recording: bot1 for /bot1/odom");

export const clockOption = (): Option =>
  new Option(
    '--clock <times>',
    'whose times count in the recording: stamps, or log where the stamps are wrong (default: stamps)',
  ).argParser(oneOf('clock', ['stamps', 'log']));

export interface ReadingOptions {
  readonly action?: 'teleop' | 'command';
  readonly namespace?: string;
  readonly clock?: 'stamps' | 'log';
}

type MaybeGiven<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** Those of a command's options that say how a recording is read. */
export function readingOf({ action, namespace, clock }: MaybeGiven<ReadingOptions>): ReadingOptions {
  return {
    ...(action === undefined ? {} : { action }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(clock === undefined ? {} : { clock }),
  };
}

export const seedOption = (): Option =>
  new Option('--seed <n>', 'fixes every random choice of the run')
    .argParser(integer('--seed', 0, 0xffffffff))
    .default(0);

export const deviceOption = (): Option =>
  new Option(
    '--device <name>',
    `what learning runs on: ${devices.join(', ')} (iq-learn devices says which can be used)`,
  )
    .argParser((text) => oneOf('device', devices)(text) as Device)
    .default('auto');

export const statesOnlyOption = (): Option =>
  new Option(
    '--states-only [how]',
    `learn from the observations of the demonstrations alone, not from their actions: ${statesOnlyWays.join(' (a model of the dynamics infers them), ')} (the policy's own in their place)`,
  )
    .argParser((text): StatesOnly => oneOf('way to find out actions', statesOnlyWays)(text))
    .preset('inverse-dynamics');

export const agentOption = (): Option =>
  new Option('--agent <name>', `learning algorithm, with its own defaults: ${agentNames.join(', ')}`).argParser(
    oneOf('agent', agentNames),
  );

/** Settings of a run with another agent and its defaults; the agent that the settings have keeps its settings. */
export function withAgent(settings: TrainingSettings, agent: AgentName | undefined): TrainingSettings {
  return agent === undefined || agent === settings.config.agent
    ? settings
    : { ...settings, config: { agent } as LearnerSettings };
}

/** Settings of a run, changed for learning from observations alone where that is asked for. */
export function withStatesOnly(settings: TrainingSettings, how: StatesOnly | undefined): TrainingSettings {
  return how === undefined ? settings : { ...settings, config: fromStatesAlone(settings.config, how) };
}

export const jsonOption = (): Option => new Option('--json <file>', 'also write the figures to this file, as JSON');

export const logOption = (): Option =>
  new Option(
    '--log <sinks>',
    'forms of the metrics that the run writes: csv, jsonl, tensorboard, terminal (separated by commas), or none',
  )
    .argParser((text): readonly MetricsSinkName[] => parseMetricsSinks(text))
    .default(defaultMetricsSinks, defaultMetricsSinks.join(','));

export const nameOption = (): Option =>
  new Option(
    '--name <name>',
    'name of the run, which is written to runs/<name> (default: robot, date and seed)',
  ).argParser(runName);

export const settingsOption = (): Option =>
  new Option(
    '--settings <file>',
    'YAML file of training settings that override the defaults (steps, segmentSize, learner: {…})',
  );
