import { IqLearnError } from '../../common/index.js';
import { header, type JointTrajectory, nanosecondsOf, stampOf } from '../../messages/index.js';
import type { RobotSpec } from '../types.js';
import { checkLength, indexOfJoint, jointsOf } from './joint-names.js';
import type { Carrier, MessageKind } from './message-kind.js';

type Point = JointTrajectory['points'][number];

const secondsOf = ({ time_from_start }: Point): number => Number(nanosecondsOf(time_from_start)) / 1e9;

function carrier(spec: RobotSpec): Carrier {
  const joints = jointsOf(spec);
  const key = spec.action[0]?.quantity === 'velocity' ? 'velocities' : 'positions';
  const none = new Float64Array(0);
  return {
    build: (action, stampNs, reachSeconds) => ({
      header: header(stampNs, spec.frameId),
      joint_names: joints,
      points: [
        {
          positions: none,
          velocities: none,
          accelerations: none,
          effort: none,
          [key]: Float64Array.from(action),
          time_from_start: stampOf(BigInt(Math.round(reachSeconds * 1e9))),
        },
      ],
    }),
    read(message, out, afterSeconds) {
      const { joint_names, points } = message as JointTrajectory;
      const { from, to, share } = around(points, afterSeconds, `a point with ${key} of ${joints.join(', ')}`);
      for (let i = 0; i < joints.length; i++) {
        const at = indexOfJoint(joint_names, joints[i]!, spec);
        for (const point of [from, to]) checkLength(key, point[key], joint_names);
        const value = (point: Point): number => point[key][at]!;
        out[i] = share === 1 ? value(to) : (1 - share) * value(from) + share * value(to);
      }
    },
    lasts(message) {
      const { points } = message as JointTrajectory;
      const last = points.at(-1);
      return points.length > 1 && last !== undefined ? secondsOf(last) : 0;
    },
  };
}

/**
 * The points before and after a time of a trajectory, and how far it is from one to the other. A trajectory of one point
 * commands that point, whatever its time: where it begins is not known. Throws MISMATCH for one without points, and for
 * times that do not increase.
 */
function around(
  points: readonly Point[],
  seconds: number,
  expected: string,
): { from: Point; to: Point; share: number } {
  const [first] = points;
  if (first === undefined)
    throw new IqLearnError('MISMATCH', 'the command has no point', { found: 'an empty trajectory', expected });
  for (let i = 1; i < points.length; i++)
    if (!(secondsOf(points[i]!) > secondsOf(points[i - 1]!)))
      throw new IqLearnError('MISMATCH', 'the points of the command are not in order', {
        found: `points ${i - 1} and ${i} at ${secondsOf(points[i - 1]!)} and ${secondsOf(points[i]!)} s`,
        expected: 'time_from_start that increases from point to point',
      });
  const at = points.findIndex((point) => secondsOf(point) >= seconds);
  if (at === 0 || points.length === 1) return { from: first, to: first, share: 1 };
  const to = at < 0 ? points.at(-1)! : points[at]!;
  const from = at < 0 ? to : points[at - 1]!;
  const share = at < 0 ? 1 : (seconds - secondsOf(from)) / (secondsOf(to) - secondsOf(from));
  return { from, to, share };
}

/**
 * Positions or velocities of all joints. What is sent has one point, to be reached within the time that the safety
 * filter allowed for the change. Of a trajectory of several points the one that is due a control period on counts: a
 * planned one begins where the arm already is.
 */
export const jointTrajectory: MessageKind<'trajectory_msgs/msg/JointTrajectory'> = {
  type: 'trajectory_msgs/msg/JointTrajectory',
  command: {
    addresses: 'joints',
    startsAtStamp: true,
    quantities: ['position', 'velocity'],
    anyUnit: false,
    oneQuantity: true,
    carrier,
  },
};
