import { IqLearnError } from '../../common/index.js';
import { header, type JointJog } from '../../messages/index.js';
import type { RobotSpec } from '../types.js';
import { jointsOf } from './joint-names.js';
import type { Carrier, MessageKind } from './message-kind.js';

function carrier(spec: RobotSpec): Carrier {
  const joints = jointsOf(spec);
  const none = new Float64Array(0);
  const duration = 1 / spec.rateHz;
  return {
    build: (action, stampNs) => ({
      header: header(stampNs, spec.frameId),
      joint_names: joints,
      displacements: none,
      velocities: Float64Array.from(action),
      duration,
    }),
    read(message, out) {
      const jog = message as JointJog;
      check(jog, joints);
      for (let i = 0; i < joints.length; i++) {
        const at = jog.joint_names.indexOf(joints[i]!);
        out[i] = at < 0 ? 0 : jog.velocities[at]!;
      }
    },
  };
}

/** Throws MISMATCH for a command that is not velocities of some of these joints. */
function check({ joint_names, displacements, velocities }: JointJog, joints: readonly string[]): void {
  if (displacements.some((value) => value !== 0))
    throw new IqLearnError('MISMATCH', 'the command is a step, not a velocity', {
      found: `displacements ${Array.from(displacements).join(', ')}`,
      expected: 'velocities alone',
      remedy: 'have the teleoperation publish velocities',
    });
  if (velocities.length !== joint_names.length)
    throw new IqLearnError('MISMATCH', 'the command has another number of velocities than of joints', {
      found: `${velocities.length} velocities for ${joint_names.length} joints`,
      expected: 'one for each joint',
    });
  const foreign = joint_names.filter((name) => !joints.includes(name));
  if (foreign.length > 0)
    throw new IqLearnError('MISMATCH', 'the command names joints that are none of the action', {
      found: foreign.join(', '),
      expected: `some of ${joints.join(', ')}`,
    });
}

/**
 * Joint velocities as MoveIt Servo takes them. A joint that the message does not name stands still, a name that is not
 * of the action spoils the command, and the duration is ignored: a command holds until the next one or the topic's
 * timeout, as in Servo.
 */
export const jointJog: MessageKind<'control_msgs/msg/JointJog'> = {
  type: 'control_msgs/msg/JointJog',
  command: {
    addresses: 'joints',
    quantities: ['velocity'],
    anyUnit: false,
    oneQuantity: true,
    unfit: {
      expected: 'velocities of all joints, which are what a JointJog carries',
      remedy: 'command velocities (config/robots/ur5e_servo.yaml), or teleoperate by sensor_msgs/msg/JointState',
    },
    carrier,
  },
};
