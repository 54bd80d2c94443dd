import { IqLearnError } from '../common/index.js';
import { header, type MessageTypeName, type MessageTypes } from '../messages/index.js';
import { messageKind, messageKinds } from './kinds/registry.js';
import type { SensorReadings } from './kinds/sensor-readings.js';
import type { RobotSpec, TopicSpec } from './types.js';

/** A message with its topic and type. */
export type TopicMessage = {
  [Name in MessageTypeName]: { readonly topic: string; readonly type: Name; readonly message: MessageTypes[Name] };
}[MessageTypeName];

/**
 * The messages of all state topics of a robot, as its driver would publish them at `stampNs` (ROS time).
 * Typed arrays are shared with the readings. Throws MISMATCH if the readings lack what a topic needs, and UNSUPPORTED
 * for a topic whose type cannot be simulated.
 */
export function readingsToMessages(readings: SensorReadings, spec: RobotSpec, stampNs: bigint): TopicMessage[] {
  return spec.stateTopics.map((topic) => messageOf(readings, spec, topic, stampNs));
}

function messageOf(readings: SensorReadings, spec: RobotSpec, state: TopicSpec, stampNs: bigint): TopicMessage {
  const { topic, type } = state;
  const need = <Reading>(reading: Reading | undefined, what: string): Reading => {
    if (reading === undefined)
      throw new IqLearnError('MISMATCH', `the sensors of ${spec.robot} cannot fill ${topic}`, {
        found: `readings of ${Object.keys(readings).join(', ') || 'nothing'}`,
        expected: what,
        remedy: 'use a task that has this sensor, or remove the topic from the description',
      });
    return reading;
  };
  const kind = messageKind(type);
  if (kind?.fromReadings === undefined)
    throw new IqLearnError('UNSUPPORTED', `a simulated ${spec.robot} cannot publish ${topic}`, {
      found: type,
      expected: messageKinds
        .filter(({ fromReadings }) => fromReadings !== undefined)
        .map(({ type: simulated }) => simulated)
        .join(', '),
      remedy: 'remove the topic from the description, or run without the simulator',
    });
  const head = header(stampNs, state.frameId ?? spec.frameId);
  const message = kind.fromReadings(readings, { spec, topic: state, header: head, need });
  return { topic, type, message } as TopicMessage;
}
