// Publishes one message of a common interface and one of ours, ten times a second: the least that rclnodejs must do.
import rclnodejs from 'rclnodejs';

await rclnodejs.init();
const node = rclnodejs.createNode('publisher');
const states = node.createPublisher('sensor_msgs/msg/JointState', 'joint_states');
const transitions = node.createPublisher('iq_learn/msg/Transition', 'transitions');
const header = { stamp: { sec: 12, nanosec: 34 }, frame_id: 'map' };
rclnodejs.spin(node);
setInterval(() => {
  states.publish({ header, name: ['elbow', 'wrist'], position: [0.25, -1.5], velocity: [], effort: [] });
  transitions.publish({
    header,
    robot: 'arm',
    session: 's',
    sequence: 2n ** 63n,
    episode: 1,
    step: 2,
    policy_version: -1n,
    intervention: true,
    observation: [0.5, 0.25],
    action: [-1],
    next_observation: [1, 2],
    blocks: [],
    next_blocks: [],
    terminated: false,
    truncated: true,
    reward: -0.125,
  });
}, 100);
