import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { Random } from '#src/common/index.js';
import { emptyMessage, header, stampOf, type TaskState } from '#src/messages/index.js';
import { GazeboTaskNode, SimulatorNode } from '#src/nodes/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { createTaskClient, type GazeboWorld, type PoseReading } from '#src/simulation/index.js';
import { createGazeboArm } from '#src/simulation/tasks/arm/gazebo.js';
import { ArmKinematics } from '#src/simulation/tasks/arm/kinematics.js';
import { armHome, armJoints, armTools } from '#src/simulation/tasks/arm/model.js';
import { drawArmScene } from '#src/simulation/tasks/arm/scene.js';
import { createGazeboRover } from '#src/simulation/tasks/rover/gazebo.js';
import { roverBase } from '#src/simulation/tasks/rover/model.js';
import { drawRoverScene } from '#src/simulation/tasks/rover/scene.js';
import { diagnosed, Rig, until } from '../nodes/toy.js';
import { bridgeOf, watchedTransport } from './support.js';

/** A world that remembers what it was asked. */
class FakeWorld implements GazeboWorld {
  readonly asked: string[] = [];
  readonly poses = new Map<string, PoseReading>();
  failure: Error | undefined;
  async place(model: string, pose: PoseReading): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.asked.push(`place ${model}`);
    this.poses.set(model, pose);
  }
  async pause(paused: boolean): Promise<void> {
    this.asked.push(paused ? 'pause' : 'go on');
  }
  async publish(topic: string, type: string, text: string): Promise<void> {
    this.asked.push(`${topic} ${type} ${text}`);
  }
}

let rig: Rig;
const closing: (() => void)[] = [];
afterEach(async () => {
  await rig.close();
  for (const close of closing.splice(0)) close();
});

const clock = (seconds: number): void =>
  rig.say('/clock', 'rosgraph_msgs/msg/Clock', { clock: stampOf(BigInt(Math.round(seconds * 1e9))) });
const turned = (yaw: number): readonly number[] => [0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)];

describe.each(['rover', 'arm'])('%s: Gazebo and the MuJoCo simulator node', (robot) => {
  it('are the same topics and services, by name and type', async () => {
    const spec = loadRobotSpec(robot);
    rig = new Rig({ robot: spec });
    const kinematics = await ArmKinematics.load();
    closing.push(() => kinematics.close());
    const interfacesOf = (make: (context: ReturnType<Rig['context']>) => { configure(): void }): string[] => {
      const context = rig.context('simulator');
      const watched = watchedTransport(context.transport);
      const node = make({ ...context, transport: watched.transport });
      node.configure();
      return watched.interfaces();
    };
    const client = await createTaskClient(robot);
    closing.push(() => void client.close());
    const mujoco = interfacesOf((context) => new SimulatorNode(context, client));

    rig = new Rig({ robot: spec });
    const stage = robot === 'arm' ? (parts: never) => createGazeboArm(parts, kinematics) : createGazeboRover;
    const task = interfacesOf((context) => new GazeboTaskNode(context, new FakeWorld(), stage as never));
    const bridged = bridgeOf(robot);
    const absolute = (name: string): string => (name.startsWith('/') ? name : `/${name}`);
    const inner = (line: string): boolean => line.includes(' /gazebo/');
    const gazebo = new Set(task);
    for (const { ros_topic_name, ros_type_name, direction } of bridged)
      gazebo.add(
        `${direction === 'GZ_TO_ROS' ? 'publishes' : 'subscribes'} ${absolute(ros_topic_name)} ${ros_type_name}`,
      );
    // What the task hears of Gazebo itself is between the two; so is what has its counterpart in the bridge.
    const own = [...gazebo].filter(
      (line) => !inner(line) && !(line.startsWith('subscribes') && gazebo.has(line.replace('subscribes', 'publishes'))),
    );
    expect(own.sort()).toEqual(mujoco);
    const innerOfTask = task.filter(inner);
    const innerOfBridge = bridged
      .filter(({ ros_topic_name }) => ros_topic_name.startsWith('gazebo/'))
      .map(
        ({ ros_topic_name, ros_type_name, direction }) =>
          `${direction === 'GZ_TO_ROS' ? 'subscribes' : 'publishes'} /${ros_topic_name} ${ros_type_name}`,
      );
    expect(innerOfTask).toEqual(innerOfBridge.sort());
  });
});

describe('the rover’s task in Gazebo', () => {
  const spec = loadRobotSpec('rover');
  const start = () => {
    rig = new Rig({ robot: spec });
    const world = new FakeWorld();
    const states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
    const goals = rig.listen('/goal_pose', 'geometry_msgs/msg/PoseStamped');
    const node = rig.start(new GazeboTaskNode(rig.context('simulator'), world, createGazeboRover, { maxSteps: 12 }));
    return { world, states, goals, node };
  };
  const drive = (x: number, y: number, v: number): void => {
    const message = emptyMessage('nav_msgs/msg/Odometry');
    message.pose.pose.position = { x, y, z: 0.05 };
    message.twist.twist.linear.x = v;
    rig.say('/odom', 'nav_msgs/msg/Odometry', message);
  };
  const ticks = async (from: number, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      clock(from + i / 10);
      await rig.broker.idle();
    }
  };

  it('begins where the MuJoCo episode of this seed begins, standing still', async () => {
    const { world, goals } = start();
    clock(1);
    expect(await rig.startEpisode('/simulator/start_episode', 7)).toEqual({ success: true, message: '', episode: 1 });
    const scene = drawRoverScene(7);
    expect(world.asked).toEqual(['/model/rover/cmd_vel gz.msgs.Twist linear: {x: 0}', 'place rover', 'place goal']);
    expect(world.poses.get('rover')).toEqual({
      position: [...scene.start, roverBase.axleHeight],
      orientation: turned(scene.yaw),
    });
    await ticks(1.2, 1);
    expect(goals.at(-1)).toMatchObject({
      header: { frame_id: 'odom' },
      pose: { position: { x: scene.goal[0], y: scene.goal[1] } },
    });
  });

  it('counts steps on /clock, knows success, and ends an episode', async () => {
    const { states, goals } = start();
    await ticks(5, 3);
    expect(states).toEqual([]);
    expect(goals).toHaveLength(3);
    await rig.startEpisode('/simulator/start_episode', 7);
    const { goal } = drawRoverScene(7);
    drive(goal[0] + 0.1, goal[1], 0);
    await rig.broker.idle();
    await ticks(6, 5);
    expect(states.map(({ step, success }) => [step, success])).toEqual([
      [0, false],
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    drive(0, 0, 0.5);
    await ticks(6.5, 20);
    expect(states.at(-1)).toMatchObject({
      step: 12,
      truncated: true,
      terminated: false,
      success: true,
      reward: Number.NaN,
    });
    expect(states.filter(({ truncated }: TaskState) => truncated)).toHaveLength(1);
  });

  it('answers why it could not begin, and forgets the episode of a simulation that began anew', async () => {
    const { world, states, node } = start();
    world.failure = new Error('Gazebo is silent');
    expect(await rig.startEpisode('/simulator/start_episode', 7)).toMatchObject({
      success: false,
      message: 'Gazebo is silent',
    });
    expect(diagnosed(node, 'resets_failed')).toBe('1');
    world.failure = undefined;
    clock(50);
    await rig.broker.idle();
    await rig.startEpisode('/simulator/start_episode', 8);
    await ticks(50.2, 2);
    expect(states).toHaveLength(2);
    await ticks(0, 5);
    expect(states).toHaveLength(2);
    expect(node.status().message).toBe('waiting for start_episode');
    expect(await rig.trigger('/simulator/pause')).toEqual({ success: true, message: 'paused' });
    expect(world.asked.at(-1)).toBe('pause');
  });

  it('says STALE where /clock stands still', async () => {
    const manual = new ManualClock();
    rig = new Rig({ robot: spec, manual });
    const node = rig.start(new GazeboTaskNode(rig.context('simulator'), new FakeWorld(), createGazeboRover));
    expect(node.status().level).toBe(0);
    manual.advanceMs(6000);
    expect(node.status()).toMatchObject({ level: 3, message: expect.stringContaining('no /clock for 6.0 s') });
  });
});

describe('the arm’s task in Gazebo', () => {
  /** Gazebo's arm: joints that do exactly the speeds they are told. */
  const spec = loadRobotSpec('arm');
  const time = new ManualClock();
  const start = async () => {
    rig = new Rig({ robot: spec, manual: time, clock: time });
    const world = new FakeWorld();
    const kinematics = await ArmKinematics.load();
    const joints = armHome.map((angle) => angle - 0.3);
    const speeds = armJoints.map(() => 0);
    armJoints.forEach((joint, i) => {
      rig.transport.subscribe(`/gazebo/${joint}/speed`, 'std_msgs/msg/Float64', ({ data }) => {
        speeds[i] = data;
      });
    });
    const tools = rig.listen('/tool_pose', 'geometry_msgs/msg/PoseStamped');
    const objects = rig.listen('/object_pose', 'geometry_msgs/msg/PoseStamped');
    const states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
    rig.start(new GazeboTaskNode(rig.context('simulator'), world, (parts) => createGazeboArm(parts, kinematics)));
    closing.push(() => kinematics.close());
    let seconds = 0;
    const step = async (count: number): Promise<void> => {
      for (let k = 0; k < count; k++) {
        seconds += 0.01;
        for (let i = 0; i < joints.length; i++) joints[i]! += speeds[i]! * 0.01;
        clock(seconds);
        rig.say('/joint_states', 'sensor_msgs/msg/JointState', {
          header: header(BigInt(Math.round(seconds * 1e9))),
          // Gazebo's own order is not ours.
          name: armJoints.toReversed(),
          position: joints.toReversed(),
          velocity: [],
          effort: [],
        });
        await rig.broker.idle();
      }
    };
    return { world, joints, speeds, tools, objects, states, step };
  };
  const puckAt = (x: number, y: number, seconds: number): void => {
    const message = emptyMessage('geometry_msgs/msg/PoseStamped');
    message.header = header(BigInt(Math.round(seconds * 1e9)), 'arm');
    message.pose.position = { x, y, z: 0.03 };
    rig.say('/gazebo/puck_pose', 'geometry_msgs/msg/PoseStamped', message);
  };

  it('moves to the start, then follows the commanded tool velocity at constant height', async () => {
    const { world, speeds, tools, objects, states, step } = await start();
    await step(5);
    // Nobody asked for anything yet: it stands still.
    expect(speeds).toEqual(armJoints.map(() => 0));
    const answer = rig.startEpisode('/simulator/start_episode', 11);
    await until(() => world.asked.includes('place puck'), 'the puck to be put aside');
    for (let i = 0; i < 50 && !world.asked.includes('place goal'); i++) await step(10);
    expect(await answer).toMatchObject({ success: true, episode: 1 });
    expect(world.asked).toEqual(['place puck', 'place puck', 'place goal']);
    const scene = drawArmScene(Random.derive(11, 'arm'));
    expect(world.poses.get('puck')).toEqual({
      position: [...scene.puck, armTools.puckHalfHeight],
      orientation: turned(scene.puckYaw),
    });
    await step(20);
    const { x, y, z } = tools.at(-1)!.pose.position;
    expect([x, y, z]).toEqual(
      [scene.tool[0], scene.tool[1], armTools.tipHeight].map((value) => expect.closeTo(value, 1)),
    );
    expect(tools.at(-1)!.header.frame_id).toBe('base_link');

    puckAt(...scene.puck, 1);
    const command = { ...emptyMessage('geometry_msgs/msg/TwistStamped') };
    command.twist.linear.x = 0.1;
    command.twist.linear.y = 0.05;
    const before = tools.at(-1)!.pose.position;
    for (let i = 0; i < 100; i++) {
      rig.say('/servo_node/delta_twist_cmds', 'geometry_msgs/msg/TwistStamped', command);
      await step(1);
    }
    const after = tools.at(-1)!.pose.position;
    const moved = [after.x - before.x, after.y - before.y];
    // The last pose was told up to a tenth of a second ago.
    expect(moved[0]).toBeGreaterThan(0.085);
    expect(moved[0]).toBeLessThan(0.115);
    expect(moved[1]! / moved[0]!).toBeCloseTo(0.5, 1);
    expect(after.z).toBeCloseTo(armTools.tipHeight, 2);
    expect(objects.at(-1)).toMatchObject({
      header: { frame_id: 'base_link' },
      pose: { position: { x: scene.puck[0] } },
    });
    expect(states.at(-1)).toMatchObject({ success: false });
    // A command that is not renewed holds no longer than its time.
    time.advanceMs(spec.commands[0].timeoutMs + 1);
    await step(2);
    expect(speeds).toEqual(armJoints.map(() => 0));
  });

  it('knows a puck that lies still at the goal', async () => {
    const { world, states, step } = await start();
    const answer = rig.startEpisode('/simulator/start_episode', 12);
    await until(() => world.asked.includes('place puck'), 'the puck to be put aside');
    for (let i = 0; i < 50 && !world.asked.includes('place goal'); i++) await step(10);
    await answer;
    const { goal } = drawArmScene(Random.derive(12, 'arm'));
    const told = async (x: number, seconds: number): Promise<boolean> => {
      puckAt(x, goal[1], seconds);
      await rig.broker.idle();
      await step(10);
      return states.at(-1)!.success;
    };
    await told(goal[0] - 0.1, 100);
    expect(await told(goal[0] - 0.02, 100.1)).toBe(false); // there, and moving
    expect(await told(goal[0] - 0.02, 100.2)).toBe(true);
    expect(await told(goal[0] - 0.06, 102)).toBe(false); // pushed away
  });
});
