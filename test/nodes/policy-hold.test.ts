import { afterEach, beforeEach, expect, it } from 'vitest';
import { header, type JointTrajectory } from '#src/messages/index.js';
import { PolicyNode } from '#src/nodes/index.js';
import type { PolicyRuntime } from '#src/policy/index.js';
import { contractOf, parseRobotSpec } from '#src/robot/index.js';
import type { Rig } from './toy.js';
import { VirtualTime } from './virtual-time.js';

/** An arm of two joints that is commanded by positions and holds where it is when it stops. */
const spec = parseRobotSpec(
  `
robot: lever
description: Two joints commanded by positions.
rate_hz: 100
frame_id: base_link
state:
  /joint_states: { type: sensor_msgs/msg/JointState, timeout_ms: 80 }
observation:
  - { topic: /joint_states, joints: [shoulder, elbow], quantity: position, unit: rad, low: -3, high: 3 }
command: { topic: /arm/joint_trajectory, type: trajectory_msgs/msg/JointTrajectory, timeout_ms: 80 }
teleop: { topic: /teleop/joint_trajectory, timeout_ms: 80 }
action:
  - { name: shoulder, joint: shoulder, unit: rad, low: -2, high: 2, max_rate: 1 }
  - { name: elbow, joint: elbow, unit: rad, low: -2, high: 2, max_rate: 1 }
estop_topic: /estop
stop: hold
`,
  'lever.yaml',
);

let time: VirtualTime;
let rig: Rig;
let commands: JointTrajectory[];
beforeEach(() => {
  time = new VirtualTime(spec);
  rig = time.rig;
  commands = rig.listen('/arm/joint_trajectory', 'trajectory_msgs/msg/JointTrajectory');
});
afterEach(() => time.close());

it('holds the joints where they are: before it moves, on the e-stop, when taken down; moves from there at its rate', async () => {
  const runtime: PolicyRuntime = {
    id: 'lever/1/test',
    version: 1,
    contract: contractOf(spec),
    training: {},
    act: async () => Float32Array.of(2, -2),
    dispose: async () => {},
  };
  const node = rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, runtime));
  await time.pass(50);
  expect(commands).toEqual([]); // nothing is known, so there is nothing to hold
  node.deactivate();
  await rig.broker.idle();
  expect(commands).toEqual([]);
  node.activate();

  let stampNs = 0n;
  const joints = { shoulder: 0.5, elbow: -0.25 };
  const robot = setInterval(() => {
    stampNs += 10_000_000n;
    // The order of names is not guaranteed.
    rig.say('/joint_states', 'sensor_msgs/msg/JointState', {
      header: header(stampNs),
      name: ['elbow', 'shoulder'],
      position: [joints.elbow, joints.shoulder],
      velocity: [0, 0],
      effort: [0, 0],
    });
  }, 10);
  const at = (i: number): number[] => [...commands.at(i)!.points[0]!.positions];
  try {
    await time.until(() => commands.length > 5, 'commands');
    expect(commands[0]!.joint_names).toEqual(['shoulder', 'elbow']);
    // From where the arm is, never a leap: at most 1 rad/s.
    expect(at(0)[0]).toBeGreaterThan(0.5);
    expect(at(0)[0]).toBeLessThan(0.53);
    expect(at(0)[1]).toBeLessThan(-0.25);
    expect(at(0)[1]).toBeGreaterThan(-0.28);
    rig.say('/estop', 'std_msgs/msg/Bool', { data: true });
    await rig.broker.idle();
    const held = at(-1);
    await time.pass(60);
    expect(at(-1)).toEqual(held);
    node.deactivate();
    await rig.broker.idle();
    expect(at(-1)).toEqual(held);
  } finally {
    clearInterval(robot);
  }
});
