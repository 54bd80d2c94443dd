import { nearest } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import type { Path, SpecDocument } from './document.js';
import { carriedQuantities, carriesAction, jogsAction } from './kinds/quantities.js';
import { commandKind, commandTypes, siblingsOf } from './kinds/registry.js';
import { knownType } from './parse-observation.js';
import { commandSchema, commandsSchema, expertSchema, fieldsOf, stopSchema, stopsSchema } from './schema.js';
import type { ActionFeatureSpec, CommandSpec, LeaderJoints, StopMode, TopicSpec } from './types.js';

/** A command as written, before the action says what it carries. `path` and `teleopPath` are where it stands. */
export interface WrittenCommand extends TopicSpec {
  readonly name: string;
  readonly stop: StopMode;
  readonly path: Path;
  readonly teleopPath: Path;
}

/** The parts of a description that say how the robot is commanded. */
interface Written {
  readonly command: unknown;
  readonly stop: unknown;
  readonly rate_hz: number;
}

/** Several commands are a map from their names to their descriptions; one is its own description. */
function isSeveral(command: unknown): command is Readonly<Record<string, object>> {
  if (typeof command !== 'object' || command === null || Array.isArray(command)) return false;
  const parts = Object.values(command);
  return parts.length > 0 && parts.every((part) => typeof part === 'object' && part !== null && !Array.isArray(part));
}

/** The command topics of a description, in its order. */
export function readCommands(document: SpecDocument, raw: Written): WrittenCommand[] {
  if (!isSeveral(raw.command)) {
    const stop = document.check(stopSchema, raw.stop, ['stop'], []);
    return [
      readCommand(document, raw.command, { name: 'command', path: ['command'], teleopPath: ['teleop'], stop }, raw),
    ];
  }
  document.check(commandsSchema, raw.command, ['command'], []);
  const names = Object.keys(raw.command);
  const stops = readStops(document, raw.stop, names);
  const commands = names.map((name) => {
    const where = { name, path: ['command', name], teleopPath: ['teleop', name], stop: stops[name]! };
    return readCommand(document, (raw.command as Readonly<Record<string, unknown>>)[name], where, raw);
  });
  commands.forEach(({ topic, path }, i) => {
    if (commands.findIndex((other) => other.topic === topic) !== i)
      throw document.refusal([...path, 'topic'], {
        found: `${topic} a second time`,
        expected: 'command topics that differ',
      });
  });
  return commands;
}

function readStops(
  document: SpecDocument,
  stop: unknown,
  names: readonly string[],
): Readonly<Record<string, StopMode>> {
  if (typeof stop !== 'object') {
    const all = document.check(stopSchema, stop, ['stop'], []);
    return Object.fromEntries(names.map((name) => [name, all]));
  }
  const stops = document.check(stopsSchema, stop, ['stop'], []);
  checkNames(document, ['stop'], Object.keys(stops), names);
  return stops;
}

/** Refuses a map by command that lacks one of them, or has one that is none. */
function checkNames(document: SpecDocument, path: Path, found: readonly string[], names: readonly string[]): void {
  const foreign = found.find((name) => !names.includes(name));
  if (foreign !== undefined) {
    const meant = nearest(foreign, names);
    throw document.refusal([...path, foreign], {
      found: `'${foreign}'`,
      expected: `the commands ${names.join(', ')}`,
      ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
    });
  }
  const missing = names.filter((name) => !found.includes(name));
  if (missing.length > 0)
    throw document.refusal(path, {
      found: `${found.join(', ') || 'nothing'}, without ${missing.join(', ')}`,
      expected: `an entry for each of the commands ${names.join(', ')}`,
    });
}

function readCommand(
  document: SpecDocument,
  value: unknown,
  where: Pick<WrittenCommand, 'name' | 'path' | 'teleopPath' | 'stop'>,
  { rate_hz }: Written,
): WrittenCommand {
  const { topic, type, timeout_ms } = document.check(commandSchema, value, where.path, fieldsOf(commandSchema));
  checkTimeout(document, where.path, timeout_ms, rate_hz);
  return {
    ...where,
    topic,
    type: knownType(document, [...where.path, 'type'], type, commandTypes),
    timeoutMs: timeout_ms,
  };
}

/** A command has to last for a control period: the robot would stop between any two. */
function checkTimeout(document: SpecDocument, path: Path, timeoutMs: number, rateHz: number): void {
  const periodMs = 1000 / rateHz;
  if (timeoutMs >= periodMs) return;
  throw document.refusal([...path, 'timeout_ms'], {
    found: `${timeoutMs} ms at ${rateHz} Hz`,
    expected: `at least a control period, ${Number(periodMs.toPrecision(4))} ms: the robot would stop between commands`,
  });
}

/** The commands with the teleoperation of each, and the dead-man button as written, undefined without one. */
export function readTeleop(
  document: SpecDocument,
  teleop: unknown,
  commands: readonly WrittenCommand[],
  action: readonly ActionFeatureSpec[],
): { commands: CommandSpec[]; deadman: unknown } {
  const isOne = commands[0]!.teleopPath.length === 1;
  if (isOne) {
    const { spec, deadman } = readPart(document, teleop, commands[0]!, action);
    return { commands: [spec], deadman };
  }
  const parts = typeof teleop === 'object' && teleop !== null ? (teleop as Readonly<Record<string, unknown>>) : {};
  const { deadman, ...named } = parts;
  checkNames(
    document,
    ['teleop'],
    Object.keys(named),
    commands.map(({ name }) => name),
  );
  const specs = commands.map((command) => {
    const part = readPart(document, named[command.name], command, action);
    if (part.deadman !== undefined)
      throw document.refusal([...command.teleopPath, 'deadman'], {
        found: `a button of ${command.name} alone`,
        expected: 'one button for all of teleop, as a stop is one for the whole robot',
        remedy: 'write it beside the names: teleop: { deadman: … }',
      });
    return part.spec;
  });
  specs.forEach(({ teleop: { topic }, name }, i) => {
    if (specs.findIndex((other) => other.teleop.topic === topic) !== i)
      throw document.refusal(['teleop', name, 'topic'], {
        found: `${topic} a second time`,
        expected: 'topics that differ',
      });
  });
  return { commands: specs, deadman };
}

function readPart(
  document: SpecDocument,
  value: unknown,
  written: WrittenCommand,
  action: readonly ActionFeatureSpec[],
): { spec: CommandSpec; deadman: unknown } {
  const { name, topic, type, timeoutMs, teleopPath } = written;
  const teleop = document.check(expertSchema, value, teleopPath, fieldsOf(expertSchema));
  const own = action.filter(({ command }) => command === name);
  const joints = teleop.joints === undefined ? undefined : leaderJoints(document, teleopPath, teleop.joints, type, own);
  const spec: CommandSpec = {
    name,
    topic,
    type,
    timeoutMs,
    teleop: {
      topic: teleop.topic,
      type: teleopType(document, teleopPath, teleop.type, type, own),
      timeoutMs: teleop.timeout_ms ?? timeoutMs,
      ...(joints === undefined ? {} : { joints }),
      ...(teleop.unitless === true ? { unitless: true } : {}),
    },
  };
  checkJogs(document, teleopPath, spec, own);
  return { spec, deadman: teleop.deadman };
}

/** The type of the teleoperation topic: the command's, or another that carries the same action. */
function teleopType(
  document: SpecDocument,
  at: Path,
  written: string | undefined,
  command: MessageTypeName,
  action: readonly ActionFeatureSpec[],
): MessageTypeName {
  if (written === undefined) return command;
  const path = [...at, 'type'];
  const type = knownType(document, path, written, siblingsOf(command));
  const kind = commandKind(type);
  if (kind.addresses === 'joints' && !carriesAction(kind, action) && !jogsAction(kind, action)) {
    const quantities = new Set(action.map(({ quantity }) => quantity ?? 'other units'));
    throw document.refusal(path, {
      found: `${type} for an action of ${[...quantities].join(' and ')}`,
      expected: carriedQuantities(kind),
      ...kind.unfit,
    });
  }
  return type;
}

/** Jogs move a joint at most at its largest rate, so it needs one; and only they may be without units. */
function checkJogs(
  document: SpecDocument,
  at: Path,
  { teleop }: CommandSpec,
  action: readonly ActionFeatureSpec[],
): void {
  const kind = commandKind(teleop.type);
  const jogs = kind.addresses === 'joints' && kind.jog !== undefined;
  if (!jogs && teleop.unitless === true)
    throw document.refusal([...at, 'unitless'], {
      found: `${teleop.type} without units`,
      expected: 'a topic of control_msgs/msg/JointJog',
    });
  const unlimited = action.filter(({ quantity, maxRate }) => quantity === 'position' && !Number.isFinite(maxRate));
  if (jogs && unlimited.length > 0)
    throw document.refusal(at, {
      found: `${teleop.type} for ${unlimited.map(({ name }) => name).join(', ')}, which may move at any speed`,
      expected: 'max_rate for every joint that is moved by jogs',
    });
}

/** The leader's names: of joints that the action commands, and each given once. */
function leaderJoints(
  document: SpecDocument,
  at: Path,
  joints: LeaderJoints,
  command: MessageTypeName,
  action: readonly ActionFeatureSpec[],
): LeaderJoints {
  const path = [...at, 'joints'];
  if (commandKind(command).addresses !== 'joints')
    throw document.refusal(path, { found: 'names of joints', expected: `none: ${command} has no joints` });
  const own = action.map((feature) => feature.path);
  for (const joint of Object.keys(joints))
    if (!own.includes(joint)) {
      const meant = nearest(joint, own);
      throw document.refusal([...path, joint], {
        found: `'${joint}'`,
        expected: `a joint of the action: ${own.join(', ')}, each with the leader's name for it`,
        ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
      });
    }
  const names = own.map((joint) => joints[joint] ?? joint);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw document.refusal(path, { found: `'${twice}' for two joints`, expected: 'names that differ' });
  return joints;
}
