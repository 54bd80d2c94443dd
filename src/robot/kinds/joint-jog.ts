import { IqLearnError } from '../../common/index.js';
import { header, type JointJog } from '../../messages/index.js';
import type { RobotSpec, TopicSpec } from '../types.js';
import { checkLength, jointsOf, twice } from './joint-names.js';
import type { Carrier, Jog, MessageKind } from './message-kind.js';

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
function check(jog: JointJog, joints: readonly string[]): void {
  const { joint_names, displacements, velocities } = jog;
  if (displacements.some((value) => value !== 0))
    throw new IqLearnError('MISMATCH', 'the command is a step, not a velocity', {
      found: `displacements ${Array.from(displacements).join(', ')}`,
      expected: 'velocities alone',
      remedy: 'have velocities published; of a recording, read what the robot was commanded: --action command',
    });
  checkLength('velocities', velocities, joint_names);
  checkNames(jog, joints);
}

function checkNames({ joint_names }: JointJog, joints: readonly string[]): void {
  const doubled = joint_names.find((name, i) => joint_names.indexOf(name) !== i);
  if (doubled !== undefined) throw twice(doubled);
  const foreign = joint_names.filter((name) => !joints.includes(name));
  if (foreign.length > 0)
    throw new IqLearnError('MISMATCH', 'the command names joints that are none of the action', {
      found: foreign.join(', '),
      expected: `some of ${joints.join(', ')}`,
      remedy: "where a leader has names of its own, give them: teleop: { joints: { the robot's: the leader's } }",
    });
}

/**
 * Reads the jogs of a person: velocities, or displacements, of the joints that they name; the others stand still. Without
 * units, 1 is the largest speed of the description, and the step of a control period at that speed.
 */
function jogReader(spec: RobotSpec, { joints: led = {}, unitless = false }: TopicSpec): (message: unknown) => Jog {
  const joints = jointsOf(spec).map((joint) => led[joint] ?? joint);
  const scales = spec.action.map(({ quantity, maxRate, low, high }) => {
    if (!unitless) return { speed: 1, step: 1 };
    const speed = quantity === 'position' ? maxRate : Math.max(Math.abs(low), Math.abs(high));
    return { speed, step: speed / spec.rateHz };
  });
  return (message) => {
    const jog = message as JointJog;
    const { joint_names, displacements, velocities } = jog;
    checkNames(jog, joints);
    const isStep = displacements.some((value) => value !== 0);
    const isSpeed = velocities.some((value) => value !== 0);
    if (isStep && isSpeed)
      throw new IqLearnError('MISMATCH', 'the command is a step and a velocity at once', {
        found: `displacements ${Array.from(displacements).join(', ')} and velocities ${Array.from(velocities).join(', ')}`,
        expected: 'one of them',
      });
    const values = isStep || velocities.length === 0 ? displacements : velocities;
    checkLength(values === displacements ? 'displacements' : 'velocities', values, joint_names);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new IqLearnError('CORRUPT_DATA', 'the command is not finite', {
        found: `${joint_names[bad]} = ${values[bad]}`,
        expected: 'a number',
      });
    const of = (joint: string): number => values[joint_names.indexOf(joint)] ?? 0;
    return {
      speeds: Float64Array.from(joints, (joint, i) => (isStep ? 0 : of(joint) * scales[i]!.speed)),
      steps: Float64Array.from(joints, (joint, i) => (isStep ? of(joint) * scales[i]!.step : 0)),
    };
  };
}

/**
 * Joint velocities as MoveIt Servo takes them. A joint that the message does not name stands still, a name that is not
 * of the action spoils the command, and the duration is ignored: a command holds until the next one or the topic's
 * timeout, as in Servo. A person may jog a robot of positions, too: each jog moves it on from its last command.
 */
export const jointJog: MessageKind<'control_msgs/msg/JointJog'> = {
  type: 'control_msgs/msg/JointJog',
  command: {
    addresses: 'joints',
    quantities: ['velocity'],
    anyUnit: false,
    oneQuantity: true,
    jog: jogReader,
    unfit: {
      expected: 'velocities or positions, which are what a JointJog moves',
      remedy: 'teleoperate by sensor_msgs/msg/JointState',
    },
    carrier,
  },
};
