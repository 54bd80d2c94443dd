import { nearest } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import { SpecDocument } from './document.js';
import { expandAction } from './parse-action.js';
import { expandObservation } from './parse-observation.js';
import { commandSchema, deadmanSchema, expertSchema, fieldsOf, robotSchema, stateTopicSchema } from './schema.js';
import { type CommandTypeName, commandTypes, siblingsOf, stateTypes } from './templates.js';
import type { ActionFeatureSpec, RobotSpec, TopicSpec } from './types.js';

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
      ...(deadman === undefined
        ? {}
        : { deadman: { topic: deadman.topic, button: deadman.button, timeoutMs: deadman.timeout_ms ?? teleopMs } }),
    },
    estopTopic: raw.estop_topic,
    stopMode: raw.stop,
    task: raw.task ?? null,
  };
}

/** The type of the teleoperation topic: the command's, or another that carries the same action. */
function teleopType(
  document: SpecDocument,
  written: string | undefined,
  command: CommandTypeName,
  action: readonly ActionFeatureSpec[],
): CommandTypeName {
  if (written === undefined) return command;
  const path = ['teleop', 'type'];
  const type = known(document, path, written, siblingsOf(command));
  const kinds = new Set(action.map(({ quantity }) => quantity));
  const [kind] = kinds;
  if (type === 'trajectory_msgs/msg/JointTrajectory' && (kinds.size > 1 || kind === undefined || kind === 'effort'))
    throw document.refusal(path, {
      found: `${type} for an action of ${[...kinds].map((each) => each ?? 'other units').join(' and ')}`,
      expected: 'one quantity for all joints: position or velocity',
    });
  if (type === 'control_msgs/msg/JointJog' && (kinds.size > 1 || kind !== 'velocity'))
    throw document.refusal(path, {
      found: `${type} for an action of ${[...kinds].map((each) => each ?? 'other units').join(' and ')}`,
      expected: 'velocities of all joints, which are what a JointJog carries',
      remedy: 'command velocities (config/robots/ur5e_servo.yaml), or teleoperate by sensor_msgs/msg/JointState',
    });
  if (type === 'sensor_msgs/msg/JointState' && kinds.has(undefined))
    throw document.refusal(path, {
      found: `${type} for an action that is no position, velocity or effort`,
      expected: 'quantity in every entry of action',
    });
  return type;
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
