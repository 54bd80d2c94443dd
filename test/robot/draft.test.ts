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
  const { text, notes } = draftDescription({ name: 'courier', topics: [], joints: [], ...inputs });
  return { text, notes, spec: parseRobotSpec(text, 'courier.yaml') };
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

  it('of a robot with two odometries, and joints on two topics: each feature has a name of its own', () => {
    const joints = { joints: ['left wheel'], hasVelocities: false };
    const { spec } = drafted({
      topics: [
        ...base,
        topic('/odometry/filtered', 'nav_msgs/msg/Odometry', 30, { frameId: 'odom' }),
        topic('/joint_states', 'sensor_msgs/msg/JointState', 30, joints),
        topic('/wheels', 'sensor_msgs/msg/JointState', 30, joints),
      ],
    });
    const names = spec.observation.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['odom_speed', 'odometry_filtered_speed']));
    expect(names).toEqual(expect.arrayContaining(['joint_states_left_wheel_position', 'wheels_left_wheel_position']));
  });

  it('of two robots in one recording: what is seen of one is not put beside the other', () => {
    const both = base.flatMap((each) => ['/a', '/b'].map((robot) => ({ ...each, topic: `${robot}${each.topic}` })));
    const { spec } = drafted({ topics: both });
    const distances = spec.observation.filter(({ name }) => name.endsWith('_distance'));
    expect(distances.map(({ source }) => source)).toMatchObject([
      { topic: '/a/goal_pose', reference: '/a/odom' },
      { topic: '/b/goal_pose', reference: '/b/odom' },
    ]);
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

  it('has 0 within the limits of a velocity that never was 0: a stop commands it', () => {
    const ranges = new Map<string, [number, number]>([['linear.x', [0.11, 0.3]]]);
    const { spec } = drafted({ topics: [base[0]!, topic('/cmd_vel', 'geometry_msgs/msg/Twist', 20, { ranges })] });
    expect(spec.action).toMatchObject([{ path: 'linear.x', low: 0, high: 0.3 }]);
  });

  it('of a car: speed and steering of its AckermannDrive, with the topic of the person', () => {
    const ranges = new Map<string, [number, number]>([
      ['drive.speed', [0.5, 2]],
      ['drive.steering_angle', [-0.3, 0.25]],
    ]);
    const drive = topic('/drive', 'ackermann_msgs/msg/AckermannDriveStamped', 20, { ranges });
    const person = topic('/teleop', 'ackermann_msgs/msg/AckermannDrive', 20);
    const { spec } = drafted({ topics: [base[0]!, drive, person] });
    expect(spec.commands.map(({ topic, type, teleop }) => [topic, type, teleop.topic, teleop.type])).toEqual([
      ['/drive', drive.type, '/teleop', person.type],
    ]);
    expect(spec.action.map(({ path, unit, low, high }) => [path, unit, low, high])).toEqual([
      ['drive.speed', 'm/s', 0, 2],
      ['drive.steering_angle', 'rad', -0.3, 0.25],
    ]);
    const unseen = drafted({ topics: [base[0]!, topic('/drive', 'ackermann_msgs/msg/AckermannDrive', 20)] }).spec;
    expect(unseen.action.map(({ path }) => path)).toEqual(['speed', 'steering_angle']);
  });

  it('takes the command that it is told, and refuses what cannot be one', () => {
    const topics = [...base, topic('/other/cmd_vel', 'geometry_msgs/msg/TwistStamped', 1)];
    expect(drafted({ topics, commands: ['/other/cmd_vel'] }).spec.commands[0].type).toBe(
      'geometry_msgs/msg/TwistStamped',
    );
    expect(() => drafted({ topics, commands: ['/odom'] })).toThrow(/cannot be a command.*Odometry/s);
    expect(() => drafted({ topics, commands: ['/nowhere'] })).toThrow(/no such topic/);
  });

  it('of a base with an arm and a gripper: all of them, each with its stop and its person', () => {
    const arm = topic('/arm_controller/joint_trajectory', 'trajectory_msgs/msg/JointTrajectory', 50, {
      joints: ['shoulder', 'elbow'],
      ranges: new Map<string, [number, number]>([
        ['shoulder', [-1, 1]],
        ['elbow', [0, 2]],
      ]),
    });
    const gripper = topic('/gripper_controller/commands', 'std_msgs/msg/Float64MultiArray', 50, { numbers: 1 });
    const { text, notes, spec } = drafted({
      topics: [
        ...base,
        topic('/cmd_vel_nav', 'geometry_msgs/msg/Twist', 10),
        topic('/debug/errors', 'std_msgs/msg/Float64MultiArray', 500, { numbers: 1 }),
        topic('/joint_states', 'sensor_msgs/msg/JointState', 100, { joints: ['finger', 'elbow', 'shoulder'] }),
        topic('/leader/joint_states', 'sensor_msgs/msg/JointState', 50, { joints: ['shoulder', 'elbow'] }),
        gripper,
        arm,
      ],
    });
    expect(spec.commands.map(({ name, topic, teleop }) => [name, topic, teleop.topic])).toEqual([
      ['arm', '/arm_controller/joint_trajectory', '/leader/joint_states'],
      ['base', '/cmd_vel', '/teleop/cmd_vel'],
      ['gripper', '/gripper_controller/commands', '/teleop/gripper_controller/commands'],
    ]);
    expect(spec.action.map(({ command, path, stop }) => [command, path, stop])).toEqual([
      ['arm', 'shoulder', 'hold'],
      ['arm', 'elbow', 'hold'],
      ['base', 'linear.x', 'zero'],
      ['base', 'angular.z', 'zero'],
      ['gripper', 'finger', 'hold'],
    ]);
    expect(text).toMatch(/joint: finger,.*the joint is a guess/);
    // A stage of the navigation commands the base a second time, and errors are no command.
    expect(notes).toEqual([
      expect.stringMatching(/\/cmd_vel_nav .*commands the same as \/cmd_vel; to do: .*--command/),
    ]);
    const two = ['/cmd_vel', '/cmd_vel_nav'];
    const twice = drafted({ topics: [...base, topic('/cmd_vel_nav', 'geometry_msgs/msg/Twist', 10)], commands: two });
    expect(twice.spec.commands.map((command) => command.topic)).toEqual(two);
  });

  it('has what was silent behind a #, says so, and what to do', () => {
    const silent = (name: string, type: string) => topic(name, type, null, { messages: 0 });
    const goal = silent('/goal_pose', 'geometry_msgs/msg/PoseStamped');
    const arm = silent('/arm_controller/joint_trajectory', 'trajectory_msgs/msg/JointTrajectory');
    const { text, notes, spec } = drafted({ topics: [base[0]!, base[5]!, goal, arm] });
    expect(spec.stateTopics.map((state) => state.topic)).toEqual(['/odom']);
    expect(spec.commands.map((command) => command.topic)).toEqual(['/cmd_vel']);
    expect(text).toMatch(/^ {2}# \/goal_pose: \{ type: geometry_msgs\/msg\/PoseStamped, .*SILENT$/m);
    expect(notes).toEqual([
      expect.stringMatching(
        /^\/goal_pose .* is silent: no message came; to do: .*give it a goal, and describe it again/,
      ),
      expect.stringMatching(/^\/arm_controller\/joint_trajectory .* may be another command, but is silent; to do: /),
    ]);
    for (const note of notes) expect(text).toContain(`# NOTE: ${note}`);
    // Taken away, the # leaves a description that is whole.
    expect(parseRobotSpec(text.replace('  # /goal', '  /goal'), 'x').stateTopics).toHaveLength(2);

    const still = drafted({ topics: [base[0]!, silent('/cmd_vel', 'geometry_msgs/msg/Twist')] });
    expect(still.spec.commands[0].topic).toBe('/cmd_vel');
    expect(still.notes).toEqual([
      expect.stringMatching(/^\/cmd_vel is silent, so its limits are guesses; to do: drive/),
    ]);
    expect(() => drafted({ topics: [silent('/odom', 'nav_msgs/msg/Odometry'), base[5]!] })).toThrow(
      /nothing to observe.*\/odom \(nav_msgs\/msg\/Odometry, silent\).*switched on/s,
    );
  });

  it('is not there where nothing commands the robot, nothing is observed, or the XML is none', () => {
    expect(() => drafted({ topics: [base[0]!] })).toThrow(/no topic commands the robot.*\/odom/s);
    expect(() => drafted({ topics: [base[5]!] })).toThrow(/nothing to observe/);
    expect(() => readUrdf('<robot><joint></robot>', 'x.urdf')).toThrow(/no URDF/);
    expect(() => readUrdf('<sdf/>', 'x.urdf')).toThrow(/<sdf>/);
    expect(() => readUrdf('<robot xmlns:xacro="x"><xacro:macro></robot>', 'x')).toThrow(/expand it first/);
  });
});
