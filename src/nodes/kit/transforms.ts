import { IqLearnError } from '../../common/index.js';
import type { TFMessage } from '../../messages/index.js';
import type { TransformTopic } from '../../robot/index.js';
import { type Closable, qos, type Transport } from '../../transport/index.js';

/** Transforms come from many nodes at once. */
const MANY = 100;

/**
 * Subscribes to topics of transforms. Those that are said once are heard by whoever comes later. A ROS 2 without tf2_msgs
 * has no transforms, which `missing` hears.
 */
export function subscribeTransforms(
  transport: Transport,
  topics: readonly TransformTopic[],
  take: (message: TFMessage, topic: TransformTopic) => void,
  missing: (reason: string) => unknown,
): Closable[] {
  try {
    return topics.map((topic) =>
      transport.subscribe(topic.topic, topic.type, (message) => take(message, topic), {
        ...(topic.isStatic ? qos.latched : qos.event),
        depth: MANY,
      }),
    );
  } catch (error) {
    if (!(error instanceof IqLearnError) || error.code !== 'UNAVAILABLE') throw error;
    missing(error.message);
    return [];
  }
}
