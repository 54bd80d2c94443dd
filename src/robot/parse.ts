import { nearest } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import { SpecDocument } from './document.js';
import { carriedQuantities, carriesAction } from './kinds/quantities.js';
import { commandKind, commandTypes, siblingsOf, stateTypes } from './kinds/registry.js';
import { expandAction } from './parse-action.js';
import { expandObservation } from './parse-observation.js';
import { checkRoles } from './roles.js';
import { commandSchema, deadmanSchema, expertSchema, fieldsOf, robotSchema, stateTopicSchema } from './schema.js';
import type { ActionFeatureSpec, LeaderJoints, RobotSpec, TopicSpec } from './types.js';

/**
 * A RobotSpec from its YAML text. Strict: unknown fields, units, types, topics and joints, duplicate names, empty
 * ranges and commands that cannot carry the action are refused with INVALID_CONFIG, which names `source`, line, path,
 * what was found and expected, and the nearest known name.
 */
export function parseRobotSpec(yamlText: string, source: string): RobotSpec {
  const document = new SpecDocument(yamlText, source);
  const raw = document.check(robotSchema, document.value, [], fieldsOf(robotSchema));

  const stateTopics = Object.entries(raw.state).map(([topic, value]): TopicSpec => {
    const path = ['state', topic];
    const { type, timeout_ms, frame_id } = document.check(stateTopicSchema, value, path, fieldsOf(stateTopicSchema));
    return {
      topic,
      type: known(document, [...path, 'type'], type, stateTypes),
      timeoutMs: timeout_ms,
      ...(frame_id === undefined ? {} : { frameId: frame_id }),
    };
  });
  if (stateTopics.length === 0)
    throw document.refusal(['state'], { found: 'no topic', expected: 'at least one state topic' });
  if (stateTopics.every(({ timeoutMs }) => timeoutMs === Number.POSITIVE_INFINITY))
    throw document.refusal(['state'], {
      found: 'no topic with a finite timeout_ms',
      expected: 'at least one, so that a robot that falls silent is noticed',
    });

  const observation = expandObservation(document, raw.observation, stateTopics);
  const command = document.check(commandSchema, raw.command, ['command'], fieldsOf(commandSchema));
  const type = known(document, ['command', 'type'], command.type, commandTypes);
  const teleop = document.check(expertSchema, raw.teleop, ['teleop'], fieldsOf(expertSchema));
  if (teleop.topic === command.topic)
    throw document.refusal(['teleop', 'topic'], {
      found: `${teleop.topic}, which is the command topic too`,
      expected: 'a topic of its own',
      remedy: `publish teleoperation on /teleop${command.topic}`,
    });
  const deadman =
    teleop.deadman === undefined
      ? undefined
      : document.check(deadmanSchema, teleop.deadman, ['teleop', 'deadman'], fieldsOf(deadmanSchema));
  checkRoles(document, {
    state: stateTopics.map(({ topic }) => topic),
    command: command.topic,
    teleop: teleop.topic,
    deadman: deadman?.topic,
    estop: raw.estop_topic,
  });
  checkCommandTimeout(document, command.timeout_ms, raw.rate_hz);
  const teleopMs = teleop.timeout_ms ?? command.timeout_ms;
  const action = expandAction(document, raw.action, type, raw.stop);
  return {
    robot: raw.robot,
    description: raw.description,
    rateHz: raw.rate_hz,
    frameId: raw.frame_id,
    stateTopics,
    observation,
    command: { topic: command.topic, type, timeoutMs: command.timeout_ms },
    action,
    teleop: {
      topic: teleop.topic,
      type: teleopType(document, teleop.type, type, action),
      timeoutMs: teleopMs,
      ...(teleop.joints === undefined ? {} : { joints: leaderJoints(document, teleop.joints, type, action) }),
      ...(deadman === undefined
        ? {}
        : { deadman: { topic: deadman.topic, button: deadman.button, timeoutMs: deadman.timeout_ms ?? teleopMs } }),
    },
    estopTopic: raw.estop_topic,
    stopMode: raw.stop,
    task: raw.task ?? null,
  };
}

/** A command has to last for a control period: the robot would stop between any two. */
function checkCommandTimeout(document: SpecDocument, timeoutMs: number, rateHz: number): void {
  const periodMs = 1000 / rateHz;
  if (timeoutMs >= periodMs) return;
  throw document.refusal(['command', 'timeout_ms'], {
    found: `${timeoutMs} ms at ${rateHz} Hz`,
    expected: `at least a control period, ${Number(periodMs.toPrecision(4))} ms: the robot would stop between commands`,
  });
}

/** The type of the teleoperation topic: the command's, or another that carries the same action. */
function teleopType(
  document: SpecDocument,
  written: string | undefined,
  command: MessageTypeName,
  action: readonly ActionFeatureSpec[],
): MessageTypeName {
  if (written === undefined) return command;
  const path = ['teleop', 'type'];
  const type = known(document, path, written, siblingsOf(command));
  const kind = commandKind(type);
  if (kind.addresses === 'joints' && !carriesAction(kind, action)) {
    const quantities = new Set(action.map(({ quantity }) => quantity ?? 'other units'));
    throw document.refusal(path, {
      found: `${type} for an action of ${[...quantities].join(' and ')}`,
      expected: carriedQuantities(kind),
      ...kind.unfit,
    });
  }
  return type;
}

/** The leader's names: of joints that the action commands, and each given once. */
function leaderJoints(
  document: SpecDocument,
  joints: LeaderJoints,
  command: MessageTypeName,
  action: readonly ActionFeatureSpec[],
): LeaderJoints {
  const path = ['teleop', 'joints'];
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

function known<Name extends MessageTypeName>(
  document: SpecDocument,
  path: readonly (string | number)[],
  type: string,
  names: readonly Name[],
): Name {
  const found = names.find((name) => name === type);
  if (found !== undefined) return found;
  const meant = names.find((name) => name.endsWith(`/${type}`)) ?? nearest(type, names);
  throw document.refusal(path, {
    found: `'${type}'`,
    expected: `one of ${names.join(', ')}`,
    ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
  });
}
