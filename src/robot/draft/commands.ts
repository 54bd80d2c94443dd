import { IqLearnError } from '../../common/index.js';
import type { MessageTypeName } from '../../messages/index.js';
import { commandTypes, messageKind } from '../kinds/registry.js';
import { type DraftInputs, is, type SeenTopic } from './topics.js';

function isCommand({ type }: SeenTopic): boolean {
  return commandTypes.includes(type as MessageTypeName) && !is(type, 'JointState');
}

const isPersons = ({ topic }: SeenTopic): boolean => /teleop|joy|leader|key|manual/i.test(topic);

export function commandOf({ topics, joints, command }: DraftInputs): SeenTopic {
  if (command !== undefined) {
    const named = topics.find(({ topic }) => topic === command);
    if (named !== undefined && isCommand(named)) return named;
    throw new IqLearnError('NOT_FOUND', `${command} cannot be the command`, {
      found: named === undefined ? 'no such topic' : named.type,
      expected: `a topic of ${commandTypes.join(', ')}`,
    });
  }
  const found = topics.filter((topic) => isCommand(topic) && !isPersons(topic)).sort((a, b) => b.messages - a.messages);
  if (found[0] !== undefined) return found[0];
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
    found: topics.map(({ topic, type }) => `${topic} (${type})`).join(', ') || 'no topic',
    expected: `one of ${commandTypes.filter((type) => !is(type, 'JointState')).join(', ')}`,
    remedy: 'record the command too, or say which it is: --command /topic',
  });
}

export function teleopOf(topics: readonly SeenTopic[], command: SeenTopic): SeenTopic | undefined {
  const family = (type: string): unknown => {
    const kind = messageKind(type)?.command;
    return kind?.addresses === 'paths' ? kind.body : kind?.addresses;
  };
  return topics.find((topic) => topic !== command && isPersons(topic) && family(topic.type) === family(command.type));
}
