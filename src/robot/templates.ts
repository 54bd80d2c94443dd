import { emptyMessage, type MessageTypeName } from '../messages/index.js';

/** What a robot's state may be published as: stamped, so that age and order can be told. */
export const stateTypes = [
  'nav_msgs/msg/Odometry',
  'sensor_msgs/msg/JointState',
  'sensor_msgs/msg/LaserScan',
  'sensor_msgs/msg/Imu',
  'geometry_msgs/msg/PoseStamped',
  'geometry_msgs/msg/TwistStamped',
  // Watched and recorded; there are no features of these.
  'sensor_msgs/msg/Joy',
  'sensor_msgs/msg/Image',
  'sensor_msgs/msg/CompressedImage',
] as const satisfies readonly MessageTypeName[];

/** Whether a topic carries pictures. */
export function isImage(type: MessageTypeName): boolean {
  return type === 'sensor_msgs/msg/Image' || type === 'sensor_msgs/msg/CompressedImage';
}

/** What a robot may be commanded by. */
export const commandTypes = [
  'geometry_msgs/msg/TwistStamped',
  'geometry_msgs/msg/Twist',
  'trajectory_msgs/msg/JointTrajectory',
  'std_msgs/msg/Float64MultiArray',
  'sensor_msgs/msg/JointState',
  'control_msgs/msg/JointJog',
] as const satisfies readonly MessageTypeName[];
export type CommandTypeName = (typeof commandTypes)[number];

/** Whether it is a Twist or a TwistStamped; the other commands are of joints. */
export function isTwist(type: MessageTypeName): boolean {
  return type === 'geometry_msgs/msg/TwistStamped' || type === 'geometry_msgs/msg/Twist';
}

/** The types that can carry the same action: what a robot of this command may be teleoperated by. */
export function siblingsOf(type: CommandTypeName): CommandTypeName[] {
  return commandTypes.filter((other) => isTwist(other) === isTwist(type));
}

/** Every path to a single number in a message of this type, stamps left out. */
export function numericPaths(type: MessageTypeName): string[] {
  const paths: string[] = [];
  const visit = (value: object, prefix: string): void => {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'header') continue;
      if (typeof inner === 'number') paths.push(prefix + key);
      else if (typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !ArrayBuffer.isView(inner))
        visit(inner as object, `${prefix}${key}.`);
    }
  };
  visit(emptyMessage(type), '');
  return paths;
}

/** The number at a path split at its dots; NaN where a message lacks it. */
export function readPath(message: unknown, keys: readonly string[]): number {
  let value = message;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null) return Number.NaN;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return typeof value === 'number' ? value : Number.NaN;
}

/** Sets the number at a path that is one of {@link numericPaths} of the message's type. */
export function writePath(message: object, keys: readonly string[], value: number): void {
  let target = message as Record<string, unknown>;
  for (let i = 0; i < keys.length - 1; i++) target = target[keys[i]!] as Record<string, unknown>;
  target[keys.at(-1)!] = value;
}
