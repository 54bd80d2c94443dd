import type { MessageTypeName } from '../../messages/index.js';
import type { RobotSpec, TopicSpec } from '../types.js';
import { float64MultiArray } from './float64-multi-array.js';
import { jointJog } from './joint-jog.js';
import { jointState } from './joint-state.js';
import { jointTrajectory } from './joint-trajectory.js';
import { laserScan } from './laser-scan.js';
import type { JointCommand, MessageKind, PathCommand } from './message-kind.js';
import { odometry } from './odometry.js';
import { pathCommand } from './path-command.js';
import { poseStamped } from './pose-stamped.js';
import { carriesAction } from './quantities.js';
import { rangeAsScan } from './range.js';
import { twistStamped } from './twist-stamped.js';

/**
 * The message types that a robot's state, command and teleoperation may have, in the order in which errors list them.
 * To add one: its definition (scripts/generate-messages.mjs says where) and an entry here.
 */
export const messageKinds: readonly MessageKind[] = [
  odometry,
  jointState,
  laserScan,
  { type: 'sensor_msgs/msg/Imu', state: { fields: true } },
  poseStamped,
  twistStamped,
  { type: 'geometry_msgs/msg/Twist', command: pathCommand('geometry_msgs/msg/Twist', 'twist') },
  { type: 'ackermann_msgs/msg/AckermannDrive', command: pathCommand('ackermann_msgs/msg/AckermannDrive', 'drive') },
  {
    type: 'ackermann_msgs/msg/AckermannDriveStamped',
    command: pathCommand('ackermann_msgs/msg/AckermannDriveStamped', 'drive', ['drive']),
  },
  jointTrajectory,
  float64MultiArray,
  jointJog,
  { type: 'geometry_msgs/msg/WrenchStamped', state: { fields: true } },
  { type: 'geometry_msgs/msg/Wrench', state: { fields: true } },
  { type: 'sensor_msgs/msg/Range', state: { fields: true, scan: rangeAsScan } },
  { type: 'sensor_msgs/msg/Joy', state: { fields: true } },
  { type: 'std_msgs/msg/Float64', state: { fields: true } },
  { type: 'std_msgs/msg/Float32', state: { fields: true } },
  { type: 'std_msgs/msg/Bool', state: { fields: true } },
  { type: 'sensor_msgs/msg/Image', state: { image: true } },
  { type: 'sensor_msgs/msg/CompressedImage', state: { image: true } },
];

const byType: ReadonlyMap<string, MessageKind> = new Map(messageKinds.map((kind) => [kind.type, kind]));

/** The entry of a type, if there is one. */
export function messageKind(type: string): MessageKind | undefined {
  return byType.get(type);
}

/** The types that a state topic may have. Those without a stamp are judged by their arrival. */
export const stateTypes: readonly MessageTypeName[] = messageKinds
  .filter(({ state }) => state !== undefined)
  .map(({ type }) => type);

/** The types of pictures. */
export const imageTypes: readonly MessageTypeName[] = messageKinds
  .filter(({ state }) => state?.image === true)
  .map(({ type }) => type);

/** The types that a robot may be commanded by. */
export const commandTypes: readonly MessageTypeName[] = messageKinds
  .filter(({ command }) => command !== undefined)
  .map(({ type }) => type);

/** How a type carries commands. Throws for one that is not among {@link commandTypes}, which parsing has refused. */
export function commandKind(type: MessageTypeName): PathCommand | JointCommand {
  const command = messageKind(type)?.command;
  if (command === undefined) throw new RangeError(`${type} carries no commands`);
  return command;
}

/** The state topics' types that offer a form of features, for errors and checks. */
export function typesOffering(form: 'fields' | 'joints' | 'scan' | 'pose'): MessageTypeName[] {
  return messageKinds.filter(({ state }) => state?.[form] !== undefined).map(({ type }) => type);
}

/** The types that can carry the same action as `type`: a robot that is commanded by one may be teleoperated by another. */
export function siblingsOf(type: MessageTypeName): MessageTypeName[] {
  const own = commandKind(type);
  return commandTypes.filter((other) => {
    const command = commandKind(other);
    return own.addresses === 'paths'
      ? command.addresses === 'paths' && command.body === own.body
      : command.addresses === 'joints';
  });
}

/** The types that carry the same action as `type` for this robot, `type` first. */
export function carriesSameAction(spec: RobotSpec, type: MessageTypeName): MessageTypeName[] {
  const others = siblingsOf(type).filter((other) => {
    const command = commandKind(other);
    return other !== type && (command.addresses === 'paths' || carriesAction(command, spec.action));
  });
  return [type, ...others];
}

/**
 * Whether a person's messages on this topic say only how a part of the robot moves on from where it is: what was
 * commanded cannot be read from them alone.
 */
export function isRelative(spec: RobotSpec, { type, unitless }: TopicSpec): boolean {
  const kind = commandKind(type);
  if (kind.addresses !== 'joints' || kind.jog === undefined) return false;
  return unitless === true || !carriesAction(kind, spec.action);
}

/** Whether a topic of this type carries pictures. */
export function isImage(type: MessageTypeName): boolean {
  return messageKind(type)?.state?.image === true;
}
