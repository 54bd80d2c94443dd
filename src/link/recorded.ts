import { IqLearnError } from '../common/index.js';
import { type MessageTypeName, type MessageTypes, protobuf, type Transition } from '../messages/index.js';
import type { RecordClass } from './spool-record.js';

/** The topics whose messages the stream carries, with their types. */
export const streamTopics = {
  '/transitions': 'iq_learn/msg/Transition',
  '/interventions': 'iq_learn/msg/Intervention',
  '/episode_events': 'iq_learn/msg/EpisodeEvent',
} as const satisfies Readonly<Record<string, MessageTypeName>>;

export type StreamTopic = keyof typeof streamTopics;
type StreamMessage = MessageTypes[(typeof streamTopics)[StreamTopic]];

/** Transitions of the policy may be dropped first where the spool is full; what a person did, last. */
export function classOf(topic: StreamTopic, message: StreamMessage): RecordClass {
  return topic === '/transitions' && !(message as Transition).intervention ? 'state' : 'demonstration';
}

export function encodeRecorded(topic: StreamTopic, message: StreamMessage): Uint8Array {
  return protobuf.encode(streamTopics[topic], message);
}

/** The message of a record. Throws CORRUPT_DATA for a topic that the stream does not carry, and for bytes that are none. */
export function decodeRecorded(topic: string, payload: Uint8Array): { topic: StreamTopic; message: StreamMessage } {
  if (!Object.hasOwn(streamTopics, topic))
    throw new IqLearnError('CORRUPT_DATA', 'a record of an unknown topic', {
      found: topic,
      expected: Object.keys(streamTopics).join(', '),
      remedy: 'use the same version of iq_learn on the robot and on the host',
    });
  const known = topic as StreamTopic;
  return { topic: known, message: protobuf.decode(streamTopics[known], payload) as StreamMessage };
}
