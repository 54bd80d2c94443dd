import type { CommandSpec, RobotSpec, TopicSpec } from './types.js';

/** The same robot, with its topics under a namespace: /bot1/odom for /odom. Its frames may have the name before them, too. */
export function withNamespace(spec: RobotSpec, namespace: string): RobotSpec {
  const name = namespace.replace(/^\/+|\/+$/g, '');
  if (name === '') return spec;
  const named = (topic: string): string => `/${name}${topic}`;
  const moved = <Topic extends TopicSpec>(topic: Topic): Topic => ({
    ...topic,
    topic: named(topic.topic),
    ...(topic.frameId === undefined ? {} : { framePrefix: name }),
  });
  const { deadman } = spec;
  const [first, ...others] = spec.commands;
  const part = (command: CommandSpec): CommandSpec => ({ ...moved(command), teleop: moved(command.teleop) });
  return {
    ...spec,
    stateTopics: spec.stateTopics.map(moved),
    observation: spec.observation.map((feature) => {
      const { source } = feature;
      if (source.kind === 'action') return feature;
      const topic = named(source.topic);
      return source.kind === 'relative'
        ? { ...feature, source: { ...source, topic, reference: named(source.reference) } }
        : { ...feature, source: { ...source, topic } };
    }),
    ...(spec.images === undefined
      ? {}
      : { images: spec.images.map((image) => ({ ...image, topic: named(image.topic) })) }),
    commands: [part(first), ...others.map(part)],
    ...(deadman === undefined ? {} : { deadman: { ...deadman, topic: named(deadman.topic) } }),
    estopTopic: named(spec.estopTopic),
  };
}
