import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  Float64MultiArray,
  JointTrajectory,
  PolicyStatus,
  Transition,
  TwistStamped,
} from '#src/messages/index.js';
import { emptyMessage, stampOf } from '#src/messages/index.js';
import { PolicyNode } from '#src/nodes/index.js';
import type { PolicyRuntime } from '#src/policy/index.js';
import { contractOf, parseRobotSpec } from '#src/robot/index.js';
import type { Rig } from './toy.js';
import { quickPolicy, VirtualTime } from './virtual-time.js';

const path = fileURLToPath(new URL('../../config/robots/mobile_manipulator.yaml', import.meta.url));
const spec = parseRobotSpec(readFileSync(path, 'utf8'), 'mobile_manipulator.yaml');
const allJoints = ['shoulder_pan', 'shoulder_lift', 'elbow', 'wrist', 'gripper_finger'];
const wanted = [0.4, 0.5, 1, -1, 0.5, 0.25, 0.04];

let time: VirtualTime;
let rig: Rig;
let twists: TwistStamped[];
let trajectories: JointTrajectory[];
let grippers: Float64MultiArray[];
let statuses: PolicyStatus[];
let transitions: Transition[];
let speaks = true;
let joints: readonly string[] = allJoints;

beforeEach(() => {
  time = new VirtualTime(spec as never);
  rig = time.rig;
  twists = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
  trajectories = rig.listen('/arm_controller/joint_trajectory', 'trajectory_msgs/msg/JointTrajectory');
  grippers = rig.listen('/gripper_controller/commands', 'std_msgs/msg/Float64MultiArray');
  statuses = rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
  transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
  speaks = true;
  joints = allJoints;
});
afterEach(() => time.close());

let ticks = 0;
/** The robot's drivers: it stands at the origin, its joints at 0. */
function state(): void {
  ticks++;
  const head = (frame_id: string) => ({ stamp: stampOf(1_000_000_000_000n + BigInt(ticks) * 10_000_000n), frame_id });
  const odometry = emptyMessage('nav_msgs/msg/Odometry');
  odometry.pose.pose.orientation.w = 1;
  rig.say('/odom', 'nav_msgs/msg/Odometry', { ...odometry, header: head('odom') });
  const none = new Float64Array(0);
  const position = new Float64Array(joints.length);
  const message = { header: head(''), name: [...joints], position, velocity: none, effort: none };
  rig.say('/joint_states', 'sensor_msgs/msg/JointState', message);
  const goal = emptyMessage('geometry_msgs/msg/PoseStamped');
  goal.pose.orientation.w = 1;
  rig.say('/object_pose', 'geometry_msgs/msg/PoseStamped', { ...goal, header: head('odom') });
}

async function pass(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (speaks) state();
    await time.pass(10);
  }
}

async function drive(): Promise<void> {
  const runtime: PolicyRuntime = {
    ...(await quickPolicy()),
    contract: contractOf(spec),
    act: async () => Float32Array.from(wanted),
  };
  rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, runtime));
  await pass(300);
}

/** The newest command, in the order of the action. */
function command(): number[] {
  const { linear, angular } = twists.at(-1)!.twist;
  const values = [linear.x, angular.z, ...trajectories.at(-1)!.points[0]!.positions, ...grippers.at(-1)!.data];
  return values.map((value) => Math.round(value * 1e4) / 1e4);
}
const standing = [0, 0, ...wanted.slice(2)];
const last = (): PolicyStatus => statuses.at(-1)!;

describe('a policy node of a robot with several command topics', () => {
  it('commands all of them in the same cycle, within their rates, and records one action', async () => {
    await drive();
    expect(command()).toEqual(wanted);
    expect(new Set([twists.length, trajectories.length, grippers.length]).size).toBe(1);
    const elbow = trajectories.map(({ points }) => points[0]!.positions[2]!);
    const most = Math.max(...elbow.slice(1).map((value, i) => Math.abs(value - elbow[i]!)));
    expect(most).toBeLessThanOrEqual(0.8 * 0.1 + 1e-6); // two periods' worth of its largest rate
    expect(transitions.at(-1)!.action).toHaveLength(7);
  });

  it('an e-stop stops every topic at once, and none moves until it is reset', async () => {
    await drive();
    const count = twists.length;
    rig.say('/estop', 'std_msgs/msg/Bool', { data: true });
    await time.settle();
    expect([twists.length, trajectories.length, grippers.length]).toEqual([count + 1, count + 1, count + 1]);
    expect(command()).toEqual(standing);
    rig.say('/estop', 'std_msgs/msg/Bool', { data: false });
    await pass(50);
    expect(last().state).toBe('ESTOP');
    expect(command()).toEqual(standing);
    expect(new Set(twists.slice(count).map(({ twist }) => twist.linear.x))).toEqual(new Set([0]));
    const held = JSON.stringify([...trajectories.at(-1)!.points[0]!.positions]);
    for (const { points } of trajectories.slice(count)) expect(JSON.stringify([...points[0]!.positions])).toBe(held);
    for (const { data } of grippers.slice(count)) expect([...data]).toEqual([...grippers.at(-1)!.data]);
    expect(await rig.trigger('/policy/reset_fault')).toMatchObject({ success: true });
    await pass(100);
    expect(command()).toEqual(wanted);
  });

  it('a stale state stops every topic; they go on with the state', async () => {
    await drive();
    speaks = false;
    await pass(60);
    expect(last().state).toBe('HOLDING');
    expect(command()).toEqual(standing);
    speaks = true;
    await pass(100);
    expect(command()).toEqual(wanted);
  });

  it('a person who commands the base has taken over from the policy: the arm and the gripper stay', async () => {
    await drive();
    const twist = emptyMessage('geometry_msgs/msg/TwistStamped');
    for (let i = 0; i < 20; i++) {
      const at = { stamp: stampOf(BigInt(Date.now()) * 1_000_000n + BigInt(i)), frame_id: '' };
      rig.say('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', {
        header: at,
        twist: { ...twist.twist, linear: { x: -0.2, y: 0, z: 0 } },
      });
      await pass(5);
    }
    expect(last().state).toBe('TAKEOVER');
    expect(command()).toEqual([-0.2, 0, ...wanted.slice(2)]);
    await pass(30);
    expect(command().slice(0, 2)).toEqual([0, 0]);
  });

  it('the end of the node stops every topic', async () => {
    const runtime = {
      ...(await quickPolicy()),
      contract: contractOf(spec),
      act: async () => Float32Array.from(wanted),
    };
    const node = rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, runtime));
    await pass(300);
    node.deactivate();
    await time.settle();
    expect(command()).toEqual(standing);
  });

  it('says which joint it waits for, and commands nothing before it is known', async () => {
    joints = allJoints.slice(0, -1);
    await drive();
    expect(twists).toEqual([]);
    expect(trajectories).toEqual([]);
    expect(last().reason).toContain('gripper_finger');
  });
});
