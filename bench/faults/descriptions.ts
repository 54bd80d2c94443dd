/** Descriptions of robots of a few hundred bytes, each with other features and commands, so that every byte that is changed means something. */
export const smallDescriptions: readonly string[] = [
  `robot: joints
description: Joints.
rate_hz: 20
frame_id: base
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 200 }
observation:
  - { topic: /joint_states, joints: [a, b], quantity: position, unit: rad, steps: 2 }
command: { topic: /arm, type: trajectory_msgs/msg/JointTrajectory, timeout_ms: 200 }
teleop: { topic: /leader, type: sensor_msgs/msg/JointState }
action:
  - { name: a, joint: a, unit: rad, low: -1, high: 2, max_rate: 0.5, delta: { of: a_position, most: 0.1 } }
  - { name: b, joint: b, unit: rad, low: -1.5, high: 1.5, max_rate: 1 }
estop_topic: /estop
stop: hold
`,
  `robot: wheels
description: Wheels.
rate_hz: 10
frame_id: base_link
state:
  /odom: { type: nav_msgs/msg/Odometry, timeout_ms: 500, frame_id: odom }
  /scan: { type: sensor_msgs/msg/LaserScan, timeout_ms: 500 }
  /goal: { type: geometry_msgs/msg/PoseStamped, timeout_ms: .inf, frame_id: odom }
observation:
  - { name: far, topic: /goal, relative_to: /odom, component: planar_distance, low: 0, high: 1 }
  - { name: scan, topic: /scan, sectors: 3, low: 0, high: 1 }
  - { past_actions: [v], steps: 2 }
command: { topic: /cmd_vel, type: geometry_msgs/msg/Twist, timeout_ms: 500 }
teleop: { topic: /teleop, deadman: { topic: /joy, button: 4 } }
action:
  - { name: v, path: linear.x, unit: m/s, low: -0.2, high: 0.6, max_rate: 8 }
estop_topic: /estop
stop: zero
`,
  `robot: both
description: Base and gripper, with a camera.
rate_hz: 5.5
frame_id: base
state:
  /imu: { type: sensor_msgs/msg/Imu, timeout_ms: 300 }
  /camera: { type: sensor_msgs/msg/Image, timeout_ms: 300 }
observation:
  - { name: yaw, topic: /imu, field: angular_velocity.z, unit: rad/s, low: -1, high: 1 }
  - { name: front, topic: /camera, image: { height: 2, width: 3, channels: 1 } }
command:
  base: { topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped, timeout_ms: 250 }
  hand: { topic: /hand, type: std_msgs/msg/Float64MultiArray, timeout_ms: 250 }
teleop:
  base: { topic: /teleop/cmd_vel }
  hand: { topic: /teleop/hand }
action:
  - { name: v, command: base, path: twist.linear.x, unit: m/s, low: 0, high: 0.5, max_rate: 1 }
  - { name: hand, command: hand, joint: finger, unit: m, low: 0, high: 0.04 }
estop_topic: /estop
stop: { base: zero, hand: hold }
`,
];
