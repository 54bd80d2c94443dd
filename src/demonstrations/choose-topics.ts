import { IqLearnError } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import {
  carriesSameAction,
  isRelative,
  type RobotPart,
  type RobotSpec,
  robotParts,
  type TopicSpec,
  withNamespace,
} from '../robot/index.js';
import type { RecordingReader } from './recording-reader.js';

export interface ReadOptions {
  /** The topic of the actions: what the person sent (`teleop`) or what the robot was commanded. Default: teleop if it has messages. */
  readonly action?: 'teleop' | 'command';
  /** Where the robot's topics stand in the recording: `bot1` for /bot1/odom. Frames may have it before them, too. */
  readonly namespace?: string;
  /** Whose times count: the stamps of the messages (the default), or when the recorder received them. */
  readonly clock?: 'stamps' | 'log';
  /** Ends the reading of a long recording early, as CANCELLED. */
  readonly signal?: AbortSignal;
}

export interface ChosenTopics {
  /** The robot with the names that its topics have in the recording. */
  readonly spec: RobotSpec;
  /** The topics of the actions, one for each command of the robot, with the types that they were recorded with. */
  readonly actions: readonly TopicSpec[];
  /** The other topics that could carry the actions, where they have messages. */
  readonly other: { readonly topic: string; readonly messages: number; readonly option: string } | null;
}

/**
 * The topics that observations and actions are read from. Refuses another robot's recording, and one without the topics
 * that observation and action need.
 */
export function chooseTopics(reader: RecordingReader, described: RobotSpec, options: ReadOptions): ChosenTopics {
  if (reader.info !== null && reader.info.robot !== described.robot)
    throw new IqLearnError('MISMATCH', `${reader.path} is another robot's recording`, {
      found: `robot '${reader.info.robot}'`,
      expected: `robot '${described.robot}'`,
      remedy: `use recordings of ${described.robot}, or choose the robot ${reader.info.robot}`,
    });
  const spec = options.namespace === undefined ? described : withNamespace(described, checkedName(options.namespace));
  const count = (topic: string): number => reader.topics.get(topic)?.messages ?? 0;
  const { commands } = spec;
  const teleops = commands.map(({ teleop }) => teleop);
  const said = (topics: readonly TopicSpec[]): number => topics.reduce((sum, { topic }) => sum + count(topic), 0);
  const parts = robotParts(spec);
  const jogs = parts.filter((part) => isRelative(part.spec, part.command.teleop));
  if (jogs.length > 0 && options.action === 'teleop') throw jogsAlone(jogs[0]!);
  const isCommand = options.action === 'command' || (options.action === undefined && said(teleops) === 0);
  const isRead = options.action !== undefined || said(commands) > 0;
  const wanted = jogs.length > 0 || (isCommand && isRead) ? commands : teleops;
  checkPresent(reader, spec, wanted, options, described);
  for (const topic of spec.stateTopics) checkType(reader, topic, [topic.type]);
  const rival = wanted === commands ? teleops : commands;
  const other = {
    topic: rival.map(({ topic }) => topic).join(', '),
    messages: said(rival),
    option: rival === commands ? 'command' : 'teleop',
  };
  return {
    spec,
    actions: wanted.map((topic, i) => asRecorded(reader, parts[i]!.spec, topic)),
    other: other.messages > 0 && jogs.length === 0 ? other : null,
  };
}

/** A person's jogs say how the robot moves on; what it was commanded by them is on the command topic. */
function jogsAlone({ command: { topic, teleop } }: RobotPart): IqLearnError {
  return new IqLearnError('UNSUPPORTED', `actions cannot be read from ${teleop.topic}`, {
    found: `${teleop.type}, which says only how the robot moves on from where it is`,
    expected: `the commands that it came to, on ${topic}`,
    remedy: '--action command, which is the default here',
  });
}

function checkPresent(
  reader: RecordingReader,
  spec: RobotSpec,
  actions: readonly TopicSpec[],
  options: ReadOptions,
  described: RobotSpec,
): void {
  const needed = [...spec.stateTopics, ...actions];
  // What is not there may have been in a damaged place.
  const damage = reader.problems.slice(0, 3);
  const copied =
    damage.length > 0 ? 'the file is damaged: copy it again from where it was recorded, or record again' : undefined;
  const missing = needed.filter(({ topic }) => !reader.topics.has(topic));
  const named = ({ topic, type }: TopicSpec): string => {
    const command =
      options.action === undefined ? spec.commands.find(({ teleop }) => teleop.topic === topic) : undefined;
    return `${topic}${command === undefined ? '' : ` or ${command.topic}`} (${type})`;
  };
  if (missing.length > 0)
    throw new IqLearnError('MISMATCH', `${reader.path} lacks topics of ${spec.robot}`, {
      found: [`topics ${[...reader.topics.keys()].sort().join(', ')}`, ...damage].join('; '),
      expected: `also ${missing.map(named).join(', ')}`,
      remedy:
        namespaceRemedy(reader, described) ??
        copied ??
        'record these topics too, or adapt the topics in the description of the robot',
    });
  const silent = needed.filter(({ topic }) => reader.topics.get(topic)!.messages === 0);
  if (silent.length === 0) return;
  const isSaidOnce = silent.some(({ timeoutMs }) => timeoutMs === Number.POSITIVE_INFINITY);
  throw new IqLearnError('MISMATCH', `${reader.path} has topics of ${spec.robot} without a message`, {
    found: [`no message on ${silent.map(({ topic }) => topic).join(', ')}`, ...damage].join('; '),
    expected: `at least one on ${silent.map(named).join(', ')}`,
    remedy:
      copied ??
      (isSaidOnce
        ? `give ${silent[0]!.topic} after the recording has begun, or latch it (transient_local)`
        : 'check that the topics are published while recording (ros2 topic hz)'),
  });
}

/** The namespaces under which every topic of the robot is there, as advice; the robot's own names may be there, too. */
function namespaceRemedy(reader: RecordingReader, spec: RobotSpec): string | undefined {
  const first = spec.stateTopics[0]!.topic;
  const isThere = (namespace: string): boolean => {
    const has = ({ topic }: TopicSpec): boolean => reader.topics.has(`${namespace}${topic}`);
    return spec.stateTopics.every(has) && spec.commands.every((command) => has(command.teleop) || has(command));
  };
  const found = [...reader.topics.keys()]
    .flatMap((topic) => (topic.endsWith(first) ? [topic.slice(0, -first.length)] : []))
    .filter(isThere)
    .sort();
  if (found.length === 0) return undefined;
  if (found[0] === '') return 'every topic is there without a namespace: leave out --namespace';
  const options = found.map((namespace) => `--namespace ${namespace.slice(1)}`);
  return `every topic is there under ${found.join(', and under ')}: give ${options.join(', or ')}`;
}

/** Throws INVALID_ARGUMENT for what ROS 2 does not take as a namespace. */
function checkedName(namespace: string): string {
  if (/^\/?(?:[A-Za-z_]\w*\/)*(?:[A-Za-z_]\w*)?$/.test(namespace)) return namespace;
  throw new IqLearnError('INVALID_ARGUMENT', 'bad value of --namespace', {
    found: `'${namespace}'`,
    expected: 'a name of letters, digits and _, not beginning with a digit, as bot1 or fleet/bot1',
    remedy: 'iq-learn inspect says the topics of a recording',
  });
}

function checkType(reader: RecordingReader, { topic }: TopicSpec, types: readonly MessageTypeName[]): void {
  const recorded = reader.topics.get(topic)!;
  if (recorded.unreadable !== null) throw recorded.unreadable;
  if (types.every((type) => type !== recorded.type))
    throw new IqLearnError('MISMATCH', `${topic} of ${reader.path} carries another type`, {
      found: recorded.type,
      expected: types.join(' or '),
      remedy: 'adapt the type in the description of the robot, or record the topic it names',
    });
}

/** The topic with the type that was recorded, where that carries the same action: Twist for TwistStamped. */
function asRecorded(reader: RecordingReader, spec: RobotSpec, action: TopicSpec): TopicSpec {
  const recorded = reader.topics.get(action.topic)!;
  const types = carriesSameAction(spec, action.type);
  checkType(reader, action, types);
  return { ...action, type: types.find((type) => type === recorded.type)! };
}
