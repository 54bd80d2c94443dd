import { describe, expect, it } from 'vitest';
import { readUrdf } from '#src/cli/describe/urdf.js';
import { type DraftInputs, draftDescription, parseRobotSpec, type SeenTopic } from '#src/robot/index.js';

const topic = (name: string, type: string, hz: number | null, more: Partial<SeenTopic> = {}): SeenTopic => ({
  topic: name,
  type,
  hz,
  messages: hz === null ? 1 : Math.round(hz * 60),
  ranges: new Map(),
  ...more,
});
const drafted = (inputs: Partial<DraftInputs>) => {
  const text = draftDescription({ name: 'courier', topics: [], joints: [], ...inputs });
  return { text, spec: parseRobotSpec(text, 'courier.yaml') };
};
const base = [
  topic('/odom', 'nav_msgs/msg/Odometry', 50, {
    frameId: 'odom',
    childFrameId: 'base_footprint',
    ranges: new Map([['twist.twist.linear.x', [-0.113, 0.482]]]),
  }),
  topic('/scan', 'sensor_msgs/msg/LaserScan', 9.7, { frameId: 'laser' }),
  topic('/goal_pose', 'geometry_msgs/msg/PoseStamped', null, { frameId: 'odom' }),
  topic('/tf', 'tf2_msgs/msg/TFMessage', 100),
  topic('/teleop/cmd_vel', 'geometry_msgs/msg/Twist', 20),
  topic('/cmd_vel', 'geometry_msgs/msg/Twist', 20, {
    ranges: new Map<string, [number, number]>([
      ['linear.x', [-0.1, 0.47]],
      ['linear.y', [0, 0]],
      ['angular.z', [-1.21, 1.2]],
    ]),
  }),
];

describe('a first description', () => {
  it('of a base: its topics, rates, frames, and limits that what was seen fits into', () => {
    const { text, spec } = drafted({ topics: base });
    expect(spec.rateHz).toBe(10);
    expect(spec.frameId).toBe('base_footprint');
    expect(spec.commands[0]).toMatchObject({ topic: '/cmd_vel', type: 'geometry_msgs/msg/Twist' });
    expect(spec.commands[0].teleop.topic).toBe('/teleop/cmd_vel');
    expect(spec.action.map(({ path, low, high }) => [path, low, high])).toEqual([
      ['linear.x', -0.1, 0.47],
      ['angular.z', -1.3, 1.2],
    ]);
    expect(spec.stateTopics.map((state) => [state.topic, state.timeoutMs, state.frameId])).toEqual([
      ['/odom', 100, 'odom'],
      ['/scan', 400, 'laser'],
      ['/goal_pose', Number.POSITIVE_INFINITY, 'odom'],
    ]);
    const names = spec.observation.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['goal_pose_distance', 'scan_0', 'scan_15', 'speed']));
    expect(spec.action[0]?.stop).toBe('zero');
    expect(text).toMatch(/was seen: write the limits of the robot/);
  });

  it('of an arm: the joints of its command, with the limits of the URDF', () => {
    const { joints } = readUrdf(
      `<?xml version="1.0"?><robot name="two">
        <joint name="base" type="fixed"/>
        <joint name="shoulder" type="revolute"><limit lower="-1.5" upper="2" velocity="2" effort="9"/></joint>
        <joint name="wrist 1" type="continuous"><limit velocity="3" effort="1"/></joint>
        <joint name="finger" type="prismatic"><limit lower="0" upper="0.04" velocity="0.1" effort="1"/></joint>
        <joint name="other finger" type="prismatic"><mimic joint="finger"/></joint>
        <transmission name="t"><joint name="shoulder"/></transmission>
      </robot>`,
      'two.urdf',
    );
    expect(joints.map(({ name }) => name)).toEqual(['shoulder', 'wrist 1', 'finger']);
    const { spec } = drafted({ joints });
    expect(spec.commands[0].topic).toBe('/joint_trajectory_controller/joint_trajectory');
    expect(spec.action.map(({ path, low, high, maxRate, unit }) => [path, low, high, maxRate, unit])).toEqual([
      ['shoulder', -1.5, 2, 1, 'rad'],
      ['wrist 1', -3.14, 3.14, 1.5, 'rad'],
      ['finger', 0, 0.04, 0.05, 'm'],
    ]);
    expect(spec.action[0]?.stop).toBe('hold');
    const servo = topic('/servo/delta_joint_cmds', 'control_msgs/msg/JointJog', 50, { joints: ['shoulder'] });
    const states = topic('/joint_states', 'sensor_msgs/msg/JointState', 100, { joints: ['finger', 'shoulder'] });
    const jog = drafted({ topics: [servo, states], joints }).spec;
    expect(jog.action).toMatchObject([{ path: 'shoulder', unit: 'rad/s', low: -2, high: 2 }]);
    expect(jog.action[0]?.stop).toBe('zero');
    expect(jog.rateHz).toBe(50);
  });

  it('takes the command that it is told, and refuses what cannot be one', () => {
    const topics = [...base, topic('/other/cmd_vel', 'geometry_msgs/msg/TwistStamped', 1)];
    expect(drafted({ topics, command: '/other/cmd_vel' }).spec.commands[0].type).toBe('geometry_msgs/msg/TwistStamped');
    expect(() => drafted({ topics, command: '/odom' })).toThrow(/cannot be the command.*Odometry/s);
    expect(() => drafted({ topics, command: '/nowhere' })).toThrow(/no such topic/);
  });

  it('is not there where nothing commands the robot, nothing is observed, or the XML is none', () => {
    expect(() => drafted({ topics: [base[0]!] })).toThrow(/no topic commands the robot.*\/odom/s);
    expect(() => drafted({ topics: [base[5]!] })).toThrow(/nothing to observe/);
    expect(() => readUrdf('<robot><joint></robot>', 'x.urdf')).toThrow(/no URDF/);
    expect(() => readUrdf('<sdf/>', 'x.urdf')).toThrow(/<sdf>/);
    expect(() => readUrdf('<robot xmlns:xacro="x"><xacro:macro></robot>', 'x')).toThrow(/expand it first/);
  });
});
