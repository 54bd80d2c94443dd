import { IqLearnError } from '../../common/index.js';
import { header, type JointTrajectory, stampOf } from '../../messages/index.js';
import type { RobotSpec } from '../types.js';
import { indexOfJoint, jointsOf } from './joint-names.js';
import type { Carrier, MessageKind } from './message-kind.js';

function carrier(spec: RobotSpec): Carrier {
  const joints = jointsOf(spec);
  const key = spec.action[0]?.quantity === 'velocity' ? 'velocities' : 'positions';
  const timeFromStart = stampOf(BigInt(Math.round(1e9 / spec.rateHz)));
  const none = new Float64Array(0);
  return {
    build: (action, stampNs) => ({
      header: header(stampNs, spec.frameId),
      joint_names: joints,
      points: [
        {
          positions: none,
          velocities: none,
          accelerations: none,
          effort: none,
          [key]: Float64Array.from(action),
          time_from_start: timeFromStart,
        },
      ],
    }),
    read(message, out) {
      const { joint_names, points } = message as JointTrajectory;
      const [point] = points;
      if (point === undefined)
        throw new IqLearnError('MISMATCH', 'the command has no point', {
          found: 'an empty trajectory',
          expected: `a point with ${key} of ${joints.join(', ')}`,
        });
      for (let i = 0; i < joints.length; i++)
        out[i] = point[key][indexOfJoint(joint_names, joints[i]!, spec)] ?? Number.NaN;
    },
  };
}

/** A trajectory of one point, to be reached within a control period: positions or velocities of all joints. */
export const jointTrajectory: MessageKind<'trajectory_msgs/msg/JointTrajectory'> = {
  type: 'trajectory_msgs/msg/JointTrajectory',
  command: {
    addresses: 'joints',
    quantities: ['position', 'velocity'],
    anyUnit: false,
    oneQuantity: true,
    carrier,
  },
};
