import { IqLearnError } from '../../common/index.js';
import type { MessageTypeName } from '../../messages/index.js';
import { commandTypes, messageKind } from '../kinds/registry.js';
import { commandName } from '../schema.js';
import { type DraftInputs, is, isSilent, nameOf, type SeenTopic } from './topics.js';

/** A command of the draft. */
export interface DraftCommand {
  readonly name: string;
  /** With the joints that it commands, where it commands joints. */
  readonly topic: SeenTopic;
  /** Its messages do not say which joints they are for, or none was seen: those that are left are taken. */
  readonly guessedJoints: boolean;
  /** Where the person's commands come from, if that was seen. */
  readonly teleop: SeenTopic | undefined;
}

/** A topic that could be a command and is none in the draft. */
export interface LeftOut {
  readonly topic: SeenTopic;
  readonly why: string;
}

function isCommand({ type }: SeenTopic): boolean {
  return commandTypes.includes(type as MessageTypeName) && !is(type, 'JointState');
}

const isPersons = ({ topic }: SeenTopic): boolean => /teleop|joy|leader|key|manual/i.test(topic);
const carriesNames = ({ type }: SeenTopic): boolean => is(type, 'JointTrajectory', 'JointJog');
const isPaths = ({ type }: SeenTopic): boolean => messageKind(type)?.command?.addresses === 'paths';

const found = (topics: readonly SeenTopic[]): string =>
  topics.map(({ topic, type }) => `${topic} (${type})`).join(', ') || 'no topic';

/**
 * The commands of the draft: those that are named, else all that were heard and command different things. Of several
 * that command the same (the stages of a navigation's velocities), the one with most messages. Silent ones only where
 * none was heard. Throws NOT_FOUND where nothing could command the robot.
 */
export function commandsOf(inputs: DraftInputs): { commands: DraftCommand[]; left: LeftOut[] } {
  const { topics, commands: named = [] } = inputs;
  const all = named.length > 0 ? named.map((topic) => commandNamed(topic, topics)) : candidates(topics);
  const heard = all.filter((topic) => !isSilent(topic));
  const pool = named.length > 0 || heard.length === 0 ? all : heard;
  const left: LeftOut[] = all.filter((topic) => !pool.includes(topic)).map((topic) => ({ topic, why: 'silent' }));
  const taken: SeenTopic[] = [];
  const guessed = new Set<SeenTopic>();
  // Those that say what they command come first: what is left may be what the others command.
  const knows = (topic: SeenTopic): boolean => isPaths(topic) || topic.joints !== undefined;
  for (const seen of [...pool.filter(knows), ...pool.filter((topic) => !knows(topic))]) {
    const topic = knows(seen) ? seen : withFreeJoints(seen, taken, inputs);
    const rival = topic === undefined ? undefined : taken.find((other) => commandSame(topic, other));
    if (topic === undefined) left.push({ topic: seen, why: 'which joints it commands is not known' });
    else if (rival !== undefined && named.length === 0)
      left.push({ topic: seen, why: `it commands the same as ${rival.topic}` });
    else {
      taken.push(topic);
      if (topic !== seen) guessed.add(topic);
    }
  }
  if (taken.length === 0) taken.push(defaultCommand(inputs, pool));
  const described = named.length > 0 ? inOrder(taken, named) : taken;
  const names: string[] = [];
  const commands = described.map((topic): DraftCommand => {
    names.push(shortName(topic, names));
    return { name: names.at(-1)!, topic, guessedJoints: guessed.has(topic), teleop: undefined };
  });
  return { commands: withTeleop(commands, topics), left };
}

const inOrder = (taken: readonly SeenTopic[], named: readonly string[]): SeenTopic[] =>
  named.flatMap((name) => taken.find(({ topic }) => topic === name) ?? []);

function candidates(topics: readonly SeenTopic[]): SeenTopic[] {
  const possible = topics.filter((topic) => isCommand(topic) && !isPersons(topic));
  // Numbers without names are as often measurements: beside other commands the topic's name has to say that it is one.
  const others = possible.filter((topic) => isPaths(topic) || carriesNames(topic));
  const isMeant = ({ topic }: SeenTopic): boolean => /cmd|command|controller|target|goal/i.test(topic);
  return possible
    .filter((topic) => others.length === 0 || others.includes(topic) || isMeant(topic))
    .sort((a, b) => b.messages - a.messages);
}

function commandNamed(name: string, topics: readonly SeenTopic[]): SeenTopic {
  const named = topics.find(({ topic }) => topic === name);
  if (named !== undefined && isCommand(named)) return named;
  throw new IqLearnError('NOT_FOUND', `${name} cannot be a command`, {
    found: named === undefined ? 'no such topic' : named.type,
    expected: `a topic of ${commandTypes.join(', ')}`,
  });
}

/** The topic with the joints that no other commands, where they are as many as its numbers; undefined where they are not. */
function withFreeJoints(
  topic: SeenTopic,
  taken: readonly SeenTopic[],
  { joints, topics }: DraftInputs,
): SeenTopic | undefined {
  const measured = topics.filter(({ type }) => is(type, 'JointState')).flatMap((state) => state.joints ?? []);
  const known = joints.length > 0 ? joints.map(({ name }) => name) : measured;
  const commanded = new Set(taken.flatMap((other) => other.joints ?? []));
  const free = [...new Set(known)].filter((joint) => !commanded.has(joint));
  if (free.length === 0 || (topic.numbers !== undefined && topic.numbers !== free.length)) return undefined;
  return { ...topic, joints: free };
}

function commandSame(a: SeenTopic, b: SeenTopic): boolean {
  if (isPaths(a) || isPaths(b)) return isPaths(a) && isPaths(b);
  return (a.joints ?? []).some((joint) => b.joints?.includes(joint));
}

/** What commands a robot of which no command could be taken: the controller that most arms have, for the joints of a URDF. */
function defaultCommand({ topics, joints }: DraftInputs, pool: readonly SeenTopic[]): SeenTopic {
  if (pool[0] !== undefined)
    throw new IqLearnError('NOT_FOUND', `the joints of ${pool[0].topic} are not known`, {
      found: `${pool[0].type} without names`,
      expected: 'a command that names its joints, or as many joints in JointState or URDF as it has numbers',
      remedy: 'record JointState, or give the URDF too: iq-learn describe --bag BAG --urdf robot.urdf',
    });
  if (joints.length > 0)
    return {
      topic: '/joint_trajectory_controller/joint_trajectory',
      type: 'trajectory_msgs/msg/JointTrajectory',
      hz: null,
      messages: 0,
      joints: joints.map(({ name }) => name),
      ranges: new Map(),
    };
  throw new IqLearnError('NOT_FOUND', 'no topic commands the robot', {
    found: found(topics),
    expected: `one of ${commandTypes.filter((type) => !is(type, 'JointState')).join(', ')}`,
    remedy: 'record the command too, or say which it is: --command /topic',
  });
}

/** What people call a command: the controller's name without what all of them have. A twist or a drive moves the base. */
function shortName(topic: SeenTopic, taken: readonly string[]): string {
  const generic = /^(joint_trajectory|joint_cmds|delta_joint_cmds|commands?|cmd|cmd_vel\w*|reference|controller)$/;
  const parts = topic.topic.split('/').filter((part) => part !== '' && !generic.test(part));
  const own = nameOf(
    (parts.at(-1) ?? '').replace(/_?(joint|forward|group|position|velocity|effort|trajectory)*_controller$/, ''),
  );
  const wanted = isPaths(topic) && !taken.includes('base') ? 'base' : own === 'robot' ? 'joints' : own;
  const free = commandName.safeParse(wanted).success ? wanted : 'command';
  for (let i = 1; ; i++) {
    const name = i === 1 ? free : `${free}_${i}`;
    if (!taken.includes(name)) return name;
  }
}

/** Gives each command the person's topic that fits it best: of its joints, with its name, or the only one of its kind. */
function withTeleop(commands: readonly DraftCommand[], topics: readonly SeenTopic[]): DraftCommand[] {
  const family = (type: string): unknown => {
    const kind = messageKind(type)?.command;
    return kind?.addresses === 'paths' ? kind.body : kind?.addresses;
  };
  const used = new Set<SeenTopic>(commands.map(({ topic }) => topic));
  return commands.map((command) => {
    const { topic, name } = command;
    const fits = topics.filter(
      (each) =>
        !used.has(each) &&
        commands.every((other) => other.topic.topic !== each.topic) &&
        isPersons(each) &&
        family(each.type) === family(topic.type),
    );
    const isOnly = commands.filter((other) => family(other.topic.type) === family(topic.type)).length === 1;
    const teleop =
      fits.find((each) => each.joints?.some((joint) => topic.joints?.includes(joint))) ??
      fits.find((each) => each.topic.includes(name)) ??
      (isOnly ? fits[0] : undefined);
    if (teleop !== undefined) used.add(teleop);
    return { ...command, teleop };
  });
}
