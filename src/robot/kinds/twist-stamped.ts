import type { MessageKind } from './message-kind.js';
import { pathCommand } from './path-command.js';
import { vectorOf } from './poses.js';

/** The velocity of a body: measured, or commanded. The simulator knows it by the last part of the topic's name. */
export const twistStamped: MessageKind<'geometry_msgs/msg/TwistStamped'> = {
  type: 'geometry_msgs/msg/TwistStamped',
  state: { fields: true },
  command: pathCommand('geometry_msgs/msg/TwistStamped', 'twist', ['twist']),
  fromReadings(readings, { topic, header, need }) {
    const name = topic.topic.replace(/^.*\//, '');
    const { linear, angular } = need(readings.twists?.[name], `the velocity ${name}`);
    return { header, twist: { linear: vectorOf(linear), angular: vectorOf(angular) } };
  },
};
