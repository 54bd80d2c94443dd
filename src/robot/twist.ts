import { commandKind } from './kinds/registry.js';
import type { RobotSpec, TopicSpec } from './types.js';

/**
 * The same robot, commanded and teleoperated by TwistStamped or by Twist (`cmd_vel_stamped` in ROS 2). Policies and
 * recordings fit both. A robot that already has this type, or is not commanded by a twist, is returned unchanged.
 */
export function withStampedTwist(spec: RobotSpec, stamped: boolean): RobotSpec {
  const type = stamped ? 'geometry_msgs/msg/TwistStamped' : 'geometry_msgs/msg/Twist';
  const command = commandKind(spec.command.type);
  const isTwist = command.addresses === 'paths' && command.body === 'twist';
  if (!isTwist || spec.command.type === type) return spec;
  const retyped = (topic: TopicSpec): TopicSpec => ({ ...topic, type });
  const action = spec.action.map((feature) => {
    const path = feature.path.replace(/^twist\./, '');
    return { ...feature, path: stamped ? `twist.${path}` : path };
  });
  return { ...spec, command: retyped(spec.command), teleop: retyped(spec.teleop), action };
}
