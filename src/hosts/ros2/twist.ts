import type { RobotSpec } from '../../robot/index.js';

/** Whether the robot is commanded by twists with a header; true where it is not commanded by twists at all. */
export function commandsStamped(spec: RobotSpec): boolean {
  return spec.command.type !== 'geometry_msgs/msg/Twist';
}
