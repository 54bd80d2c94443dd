import type { RobotSpec } from '../../robot/index.js';

/** Whether the robot's twists have a header; true if it is not commanded by twists. */
export function commandsStamped(spec: RobotSpec): boolean {
  return spec.commands.every(({ type }) => type !== 'geometry_msgs/msg/Twist');
}
