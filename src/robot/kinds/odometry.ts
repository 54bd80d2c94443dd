import type { MessageKind } from './message-kind.js';
import { poseOf, vectorOf } from './poses.js';

/** All zeros: not known. */
const unknownCovariance = (): Float64Array => new Float64Array(36);

/** Pose and velocity of a vehicle. */
export const odometry: MessageKind<'nav_msgs/msg/Odometry'> = {
  type: 'nav_msgs/msg/Odometry',
  state: {
    fields: true,
    pose: (message) => message.pose.pose,
    // The twist is given in the child's frame, and stays.
    inFrame: (message, change, header) => ({
      ...message,
      header,
      pose: { ...message.pose, pose: change(message.pose.pose) },
    }),
  },
  fromReadings(readings, { spec, header, need }) {
    const { pose, linear, angular } = need(readings.odometry, 'odometry');
    return {
      header,
      child_frame_id: spec.frameId,
      pose: { pose: poseOf(pose), covariance: unknownCovariance() },
      twist: { twist: { linear: vectorOf(linear), angular: vectorOf(angular) }, covariance: unknownCovariance() },
    };
  },
};
