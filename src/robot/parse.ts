import { SpecDocument } from './document.js';
import { stateTypes } from './kinds/registry.js';
import { expandAction } from './parse-action.js';
import { readCommands, readTeleop } from './parse-commands.js';
import { withDeltas } from './parse-delta.js';
import { readImages } from './parse-image.js';
import { expandObservation, knownType } from './parse-observation.js';
import { checkRoles } from './roles.js';
import { deadmanSchema, fieldsOf, robotSchema, stateTopicSchema } from './schema.js';
import type { CommandSpec, RobotSpec, TopicSpec } from './types.js';

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
      type: knownType(document, [...path, 'type'], type, stateTypes),
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

  const written = readCommands(document, raw);
  const action = expandAction(document, raw.action, written);
  const observation = expandObservation(document, raw.observation, stateTopics, action);
  const { blocks, images } = readImages(document, raw.observation, stateTopics);
  const { commands, deadman: button } = readTeleop(document, raw.teleop, written, action);
  const [first, ...others] = commands as [CommandSpec, ...CommandSpec[]];
  for (const { topic } of commands)
    for (const { teleop, name } of commands)
      if (teleop.topic === topic)
        throw document.refusal([...written.find((each) => each.name === name)!.teleopPath, 'topic'], {
          found: `${topic}, which is the command topic too`,
          expected: 'a topic of its own',
          remedy: `publish teleoperation on /teleop${topic}`,
        });
  const deadmanPath = ['teleop', 'deadman'];
  const deadman =
    button === undefined ? undefined : document.check(deadmanSchema, button, deadmanPath, fieldsOf(deadmanSchema));
  checkRoles(document, {
    state: stateTopics,
    commands: written.map(({ topic, path }) => ({ topic, path })),
    teleops: commands.map(({ teleop: { topic, type } }, i) => ({ topic, type, path: written[i]!.teleopPath })),
    deadman: deadman?.topic,
    estop: raw.estop_topic,
  });
  const teleopMs = Math.min(...commands.map(({ teleop }) => teleop.timeoutMs));
  return {
    robot: raw.robot,
    description: raw.description,
    rateHz: raw.rate_hz,
    frameId: raw.frame_id,
    stateTopics,
    observation,
    ...(blocks.length === 0 ? {} : { blocks, images }),
    commands: [first, ...others],
    action: withDeltas(document, raw.action, action, observation),
    ...(deadman === undefined
      ? {}
      : { deadman: { topic: deadman.topic, button: deadman.button, timeoutMs: deadman.timeout_ms ?? teleopMs } }),
    estopTopic: raw.estop_topic,
    task: raw.task ?? null,
  };
}
