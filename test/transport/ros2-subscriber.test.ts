import { expect, it, vi } from 'vitest';
import type { IqLearnError } from '#src/common/index.js';
import { qos } from '#src/transport/index.js';
import type { Rcl, RclEndpoint, RclNode } from '#src/transport/ros2/rclnodejs.js';
import { Subscriber } from '#src/transport/ros2/topics.js';

/** What a subscriber asks of rclnodejs, without a ROS 2. */
function graph(endpoints: readonly Partial<RclEndpoint>[]) {
  const node = {
    getPublishersInfoByTopic: () => endpoints,
    getSubscriptionsInfoByTopic: () => [],
    createSubscription: vi.fn(() => ({ topic: '/odom' })),
    destroySubscription: vi.fn(),
  };
  const told: IqLearnError[] = [];
  const context = {
    rcl: { QoS: class {} } as unknown as Rcl,
    node: node as unknown as RclNode,
    report: (error: IqLearnError): void => void told.push(error),
    topic: '/odom',
    name: 'odom',
    type: 'nav_msgs/msg/Odometry',
  } as const;
  const subscribe = (waits: boolean) => new Subscriber(context, { waits, deliver: () => undefined }, qos.sensor);
  return { node, told, subscribe };
}

const driver = { topic_type: 'std_msgs/msg/String', node_namespace: '/', node_name: 'driver', endpoint_gid: '1' };

it('a topic of another type is refused, or subscribed to all the same by who waits for it to be put right, and told once', () => {
  const { node, told, subscribe } = graph([driver as never]);
  expect(() => subscribe(false)).toThrow(/\/odom has another type; found: std_msgs\/msg\/String of \/driver/);
  expect(node.createSubscription).not.toHaveBeenCalled();
  const subscriber = subscribe(true);
  expect(node.createSubscription).toHaveBeenCalledOnce();
  for (let i = 0; i < 2; i++) subscriber.look();
  expect(told.map(({ found, expected }) => [found, expected])).toEqual([
    ['std_msgs/msg/String of /driver', 'nav_msgs/msg/Odometry'],
  ]);
  subscriber.close();
});
