import { IqLearnError } from '../../common/index.js';
import type { Ros2Node, Ros2Options } from './types.js';

/**
 * Joins the ROS 2 graph as one node. Throws UNAVAILABLE, in milliseconds and without touching anything, where no ROS 2
 * is sourced, rclnodejs is not installed, or its native part does not fit this ROS 2 and machine.
 */
export async function openRos2(_options: Ros2Options): Promise<Ros2Node> {
  throw new IqLearnError('UNAVAILABLE', 'no ROS 2', { remedy: 'source a ROS 2' });
}
