import type { RobotSpec, TopicSpec } from '../robot/index.js';

const STAMPED = 'geometry_msgs/msg/TwistStamped';
const PLAIN = 'geometry_msgs/msg/Twist';

const isTwist = ({ type }: TopicSpec): boolean => type === STAMPED || type === PLAIN;

/** Whether the robot is commanded by twists with a header; true where it is not commanded by twists at all. */
export function commandsStamped(spec: RobotSpec): boolean {
  return spec.command.type !== PLAIN;
}

/** The same robot, commanded and teleoperated by TwistStamped (REP 147 and ROS 2 since Kilted) or by Twist. */
export function withStampedTwist(spec: RobotSpec, stamped: boolean): RobotSpec {
  const type = stamped ? STAMPED : PLAIN;
  const retyped = <Topic extends TopicSpec>(topic: Topic): Topic => (isTwist(topic) ? { ...topic, type } : topic);
  if (!isTwist(spec.command)) return spec;
  return {
    ...spec,
    command: retyped(spec.command),
    teleop: retyped(spec.teleop),
    action: spec.action.map((feature) => {
      const path = feature.path.replace(/^twist\./, '');
      return { ...feature, path: stamped ? `twist.${path}` : path };
    }),
  };
}
