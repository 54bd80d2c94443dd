import type { MessageKind } from './message-kind.js';
import { poseOf } from './poses.js';

/** The pose of anything: a goal, an object, a tool. The simulator knows it by the last part of the topic's name. */
export const poseStamped: MessageKind<'geometry_msgs/msg/PoseStamped'> = {
  type: 'geometry_msgs/msg/PoseStamped',
  state: {
    fields: true,
    pose: (message) => message.pose,
    inFrame: ({ pose }, change, header) => ({ header, pose: change(pose) }),
  },
  fromReadings(readings, { topic, header, need }) {
    const name = topic.topic.replace(/^.*\//, '');
    return { header, pose: poseOf(need(readings.poses?.[name], `the pose ${name}`)) };
  },
};
