import { describe, expect, test } from 'vitest';
import { topics } from '#src/nodes/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { vehicleText } from '../../robot/messages.js';

/** The vehicle with another topic at one place of its description. */
function withTopic(from: string, topic: string): string {
  const text = vehicleText.replace(from, `topic: ${topic},`);
  if (text === vehicleText) throw new Error(`the vehicle has no ${from}`);
  return text;
}

// A robot's description knows nothing of nodes, so it repeats their topics; this holds the two lists together.
describe.each(Object.entries(topics))('the topic of nodes %s, %s', (_, topic) => {
  test.each(['topic: /cmd_vel,', 'topic: /teleop/cmd_vel,'])('is refused in place of %s', (from) => {
    expect(() => parseRobotSpec(withTopic(from, topic), 'robot.yaml')).toThrow(
      new RegExp(`found: ${topic}, which (carries something else|ROS 2 uses itself)`),
    );
  });
});
