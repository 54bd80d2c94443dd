import type { MessageTypeName, MessageTypes } from '../messages/index.js';

const vector3 = () => ({ x: 0, y: 0, z: 0 });
const quaternion = () => ({ x: 0, y: 0, z: 0, w: 1 });
const twist = () => ({ linear: vector3(), angular: vector3() });
const pose = () => ({ position: vector3(), orientation: quaternion() });
const header = () => ({ stamp: { sec: 0, nanosec: 0 }, frame_id: '' });

/** Fresh neutral messages of the types whose single fields a robot can be observed or commanded by. */
const templates = {
  'geometry_msgs/msg/Twist': twist,
  'geometry_msgs/msg/TwistStamped': () => ({ header: header(), twist: twist() }),
  'geometry_msgs/msg/PoseStamped': () => ({ header: header(), pose: pose() }),
  'nav_msgs/msg/Odometry': () => ({
    header: header(),
    child_frame_id: '',
    pose: { pose: pose(), covariance: new Float64Array(36) },
    twist: { twist: twist(), covariance: new Float64Array(36) },
  }),
  'sensor_msgs/msg/Imu': () => ({
    header: header(),
    orientation: quaternion(),
    orientation_covariance: new Float64Array(9),
    angular_velocity: vector3(),
    angular_velocity_covariance: new Float64Array(9),
    linear_acceleration: vector3(),
    linear_acceleration_covariance: new Float64Array(9),
  }),
} satisfies { [Name in MessageTypeName]?: () => MessageTypes[Name] };

/** What a robot's state may be published as: stamped, so that age and order can be told. */
export const stateTypes = [
  'nav_msgs/msg/Odometry',
  'sensor_msgs/msg/JointState',
  'sensor_msgs/msg/LaserScan',
  'sensor_msgs/msg/Imu',
  'geometry_msgs/msg/PoseStamped',
  'geometry_msgs/msg/TwistStamped',
] as const satisfies readonly MessageTypeName[];
export type StateTypeName = (typeof stateTypes)[number];

/** What a robot may be commanded by. */
export const commandTypes = [
  'geometry_msgs/msg/TwistStamped',
  'geometry_msgs/msg/Twist',
  'trajectory_msgs/msg/JointTrajectory',
  'std_msgs/msg/Float64MultiArray',
  'sensor_msgs/msg/JointState',
] as const satisfies readonly MessageTypeName[];
export type CommandTypeName = (typeof commandTypes)[number];

/** A neutral message of a type that is read by field, or undefined for the others. */
export function templateOf(type: MessageTypeName): object | undefined {
  return (templates as Partial<Record<MessageTypeName, () => object>>)[type]?.();
}

/** Every path to a single number in a message of this type, stamps left out. */
export function numericPaths(type: MessageTypeName): string[] {
  const paths: string[] = [];
  const visit = (value: object, prefix: string): void => {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'header') continue;
      if (typeof inner === 'number') paths.push(prefix + key);
      else if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner))
        visit(inner as object, `${prefix}${key}.`);
    }
  };
  const template = templateOf(type);
  if (template !== undefined) visit(template, '');
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

/** Sets the number at a path that the template of the message's type has. */
export function writePath(message: object, keys: readonly string[], value: number): void {
  let target = message as Record<string, unknown>;
  for (let i = 0; i < keys.length - 1; i++) target = target[keys[i]!] as Record<string, unknown>;
  target[keys.at(-1)!] = value;
}
