import { commandKind } from './kinds/registry.js';
import type { CommandSpec, RobotSpec } from './types.js';

/** Whether a command is a twist, with a header or without. */
export function isTwist({ type }: Pick<CommandSpec, 'type'>): boolean {
  const command = commandKind(type);
  return command.addresses === 'paths' && command.body === 'twist';
}

/**
 * The same robot, commanded and teleoperated by TwistStamped or by Twist (`cmd_vel_stamped` in ROS 2). Policies and
 * recordings fit both. A robot that already has this type, or is not commanded by a twist, is returned unchanged.
 */
export function withStampedTwist(spec: RobotSpec, stamped: boolean): RobotSpec {
  const type = stamped ? 'geometry_msgs/msg/TwistStamped' : 'geometry_msgs/msg/Twist';
  const changed = new Set(spec.commands.filter((each) => isTwist(each) && each.type !== type).map(({ name }) => name));
  if (changed.size === 0) return spec;
  const retyped = (command: CommandSpec): CommandSpec =>
    changed.has(command.name) ? { ...command, type, teleop: { ...command.teleop, type } } : command;
  const action = spec.action.map((feature) => {
    if (!changed.has(feature.command)) return feature;
    const path = feature.path.replace(/^twist\./, '');
    return { ...feature, path: stamped ? `twist.${path}` : path };
  });
  const [first, ...others] = spec.commands;
  return { ...spec, commands: [retyped(first), ...others.map(retyped)], action };
}
