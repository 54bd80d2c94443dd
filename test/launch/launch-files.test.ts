import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { executables } from '#src/hosts/ros2/executables/index.js';
import { parametersOf } from '#src/hosts/ros2/host.js';
import { isTwist, loadRobotSpec, robotNames } from '#src/robot/index.js';
import { describeWithPython, runPython } from '../support/python.js';

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

interface Started {
  readonly package: string;
  readonly executable: string;
  readonly name: string | null;
  readonly namespace: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
  readonly remappings: Readonly<Record<string, string>>;
  readonly arguments: readonly string[];
  readonly ends_all?: boolean;
}
interface Launched {
  readonly failure?: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string | null;
    readonly required: boolean;
    readonly choices: readonly string[] | null;
  }[];
  readonly nodes: readonly Started[];
  readonly processes?: readonly { readonly cmd: readonly string[]; readonly ends_all: boolean }[];
}

const files = ['demo', 'gazebo', 'record', 'learn', 'deploy', 'supervise', 'evaluate', 'replay'] as const;
/** What must be said to the launch files that ask for something. */
const needed = ['recording:=recordings/one', 'policy:=runs/one/policy'];
const required: Readonly<Record<string, readonly string[]>> = {
  learn: ['recording'],
  evaluate: ['policy'],
  replay: ['recording'],
};
/** Everything a launch file may start that is not ours. */
const foreign = [
  'twist_mux/twist_mux',
  'joy/joy_node',
  'teleop_twist_joy/teleop_node',
  'ros_gz_sim/create',
  'ros_gz_bridge/parameter_bridge',
  'robot_state_publisher/robot_state_publisher',
];

const executableNames = executables.map(({ name }) => name);
/** Parameters of an executable with their types and defaults. */
function declared(name: string, robot = 'rover') {
  const executable = executables.find((each) => each.name === name)!;
  const { declarations } = parametersOf(executable, loadRobotSpec(robot));
  return new Map(declarations.map((parameter) => [parameter.name, parameter]));
}

/** A description of somebody's own: a base that takes plain Twists, on topics of its own. */
const ownRobot = join(mkdtempSync(join(tmpdir(), 'iq-launch-')), 'my robot.yaml');
beforeAll(() => {
  const text = readFileSync(`${root}/config/robots/turtlebot3.yaml`, 'utf8')
    .replace('robot: turtlebot3', 'robot: mine')
    .replace('topic: /cmd_vel, type: geometry_msgs/msg/TwistStamped', 'topic: /base/cmd, type: geometry_msgs/msg/Twist')
    .replaceAll('path: twist.', 'path: ')
    .replace('topic: /teleop/cmd_vel', 'topic: /pad/cmd')
    .replace('estop_topic: /estop', 'estop_topic: /halt');
  writeFileSync(ownRobot, text);
});
afterAll(() => rmSync(dirname(ownRobot), { recursive: true }));
const typeOf = (value: unknown): string =>
  typeof value === 'boolean'
    ? 'bool'
    : typeof value === 'string'
      ? 'string'
      : Array.isArray(value)
        ? 'string_array'
        : Number.isInteger(value)
          ? 'integer'
          : 'double';

function checks(launch: (file: string, ...args: string[]) => Promise<Launched>): void {
  const only = (launched: Launched, executable: string): Started => {
    const found = launched.nodes.filter((node) => node.executable === executable);
    expect(found.map((node) => node.executable)).toEqual([executable]);
    return found[0]!;
  };

  test.each(files)('%s: every argument says what it is, and has a default but for what must be said', async (file) => {
    const { arguments: declaredArguments } = await launch(file, ...needed);
    expect(declaredArguments.length).toBeGreaterThan(4);
    for (const { name, description } of declaredArguments) expect(description, name).toMatch(/^[a-zA-Z].{15,}\.$/);
    expect(declaredArguments.filter(({ required }) => required).map(({ name }) => name)).toEqual(required[file] ?? []);
    expect(declaredArguments.map(({ name }) => name)).toEqual(expect.arrayContaining(['robot', 'namespace']));
  });

  test.each(files)('%s: executables exist, and take the parameters they are given', async (file) => {
    const teleop = file === 'record' ? 'expert' : 'joy';
    const { nodes, failure } = await launch(file, ...needed, `teleop:=${teleop}`);
    expect(failure).toBeUndefined();
    expect(nodes.length).toBeGreaterThan(0);
    for (const { package: name, executable, parameters, files: read } of nodes) {
      for (const path of read) expect(existsSync(path), path).toBe(true);
      if (name !== 'iq_learn') {
        expect(foreign).toContain(`${name}/${executable}`);
        continue;
      }
      expect(executableNames).toContain(executable);
      for (const [key, value] of Object.entries(parameters)) {
        if (key === 'use_sim_time') expect(typeof value).toBe('boolean');
        else {
          const type = declared(executable).get(key)?.type;
          expect(type, `${executable}: ${key}`).toBeDefined();
          // A whole double looks like an integer here.
          expect([type, type === 'double' ? 'integer' : type], key).toContain(typeOf(value));
        }
      }
    }
  });

  test.each(files)('%s: a file of parameters goes before the arguments, for every node of ours', async (file) => {
    const own = `${root}/config/teleop/joy.yaml`;
    const { nodes } = await launch(file, ...needed, `params_file:=${own}`);
    for (const { package: name, executable, files: read } of nodes)
      if (name === 'iq_learn') expect(read.at(-1), executable).toBe(own);
  });

  test.each(files)('%s: a namespace holds for every node of a robot', async (file) => {
    const { nodes } = await launch(file, ...needed, 'namespace:=second');
    for (const { namespace, package: name } of nodes) expect(namespace).toBe(name === 'ros_gz_sim' ? '' : 'second');
  });

  it('demo: the clock follows the namespace, so that two demos have one each', async () => {
    const { nodes } = await launch('demo', 'recording:=recordings/one', 'namespace:=second');
    expect(nodes).toHaveLength(6);
    for (const { remappings } of nodes) expect(remappings).toEqual({ '/clock': 'clock' });
  });

  it('deploy: the final command is twist_mux’s, whichever the robot', async () => {
    for (const robot of robotNames()) {
      const spec = loadRobotSpec(robot);
      const twist = spec.commands.find(isTwist);
      if (twist === undefined) continue;
      const launched = await launch('deploy', `robot:=${robot}`, 'policy:=somewhere', 'teleop:=joy');
      const command = twist.topic.slice(1);
      expect(only(launched, 'policy').remappings).toEqual({ [command]: 'policy_vel' });
      expect(only(launched, 'policy').parameters).toMatchObject({ robot, policy: 'somewhere', source: 'policy' });
      const mux = only(launched, 'twist_mux');
      expect(mux.remappings).toEqual({ cmd_vel_out: command });
      expect(mux.parameters).toMatchObject({ use_stamped: true, 'locks.e_stop.topic': spec.estopTopic.slice(1) });
      expect(only(launched, 'teleop_node').remappings).toEqual({ cmd_vel: twist.teleop.topic.slice(1) });
    }
  });

  it('deploy: robots that are commanded by joints have no twist_mux, and one can be left out', async () => {
    for (const args of [['robot:=ur5e'], ['robot:=ur5e_servo'], ['robot:=franka'], ['robot:=rover', 'mux:=false']]) {
      const launched = await launch('deploy', ...args);
      const [from, to] = Object.entries(only(launched, 'policy').remappings)[0]!;
      expect(to).toBe(from);
      expect(launched.nodes.map(({ executable }) => executable)).toEqual(['policy']);
    }
  });

  it.each([
    ['rover', 'rover'],
    ['ur5e', 'ur5e'],
    ['one’s own robot', ownRobot],
  ])('says nothing else than the description of %s, where nothing is asked', async (_, robot) => {
    // Given by whoever launches, or what the launch file is for.
    const given = ['robot', 'recording', 'autostart', 'use_sim_time'];
    const ofRecord = ['source', 'supervised', 'recorder'];
    for (const file of ['record', 'learn', 'deploy']) {
      const { nodes, failure } = await launch(file, `robot:=${robot}`, 'recording:=recordings/one');
      expect(failure).toBeUndefined();
      for (const { package: name, executable, parameters } of nodes) {
        if (name !== 'iq_learn') continue;
        const defaults = declared(executable, robot);
        for (const [key, value] of Object.entries(parameters))
          if (!given.includes(key) && !(file === 'record' && ofRecord.includes(key)))
            expect(value, `${executable}: ${key}`).toEqual(defaults.get(key)!.default);
      }
    }
  });

  it('deploy: the joystick goes to the limits of the robot that it drives, and no other is driven by one', async () => {
    for (const robot of robotNames()) {
      const spec = loadRobotSpec(robot);
      const twist = spec.commands.find(isTwist);
      const launched = await launch('deploy', `robot:=${robot}`, 'teleop:=joy');
      if (twist === undefined) {
        expect(launched.failure, robot).toMatch(/a joystick cannot drive .*teleop:=none/s);
        expect((await launch('record', `robot:=${robot}`)).nodes.map(({ executable }) => executable)).not.toContain(
          'joy_node',
        );
        continue;
      }
      const { parameters } = only(launched, 'teleop_node');
      expect(parameters.frame).toBe(spec.frameId);
      const driven = new Map(
        spec.action
          .filter(({ command }) => command === twist.name)
          .map(({ path, low, high }) => [path.replace('twist.', ''), Math.max(Math.abs(low), high)]),
      );
      const names = {
        'linear.x': 'linear.x',
        'linear.y': 'linear.y',
        'angular.z': 'angular.yaw',
        'linear.z': 'linear.z',
      };
      const axes: unknown[] = [];
      for (const [path, name] of Object.entries(names)) {
        expect(parameters[`scale_${name}`], `${robot} ${path}`).toBe(driven.get(path) ?? 0);
        if (driven.has(path)) axes.push(parameters[`axis_${name}`]);
        else expect(parameters[`axis_${name}`]).toBe(-1);
      }
      // One stick's direction each.
      expect(new Set(axes).size).toBe(axes.length);
      expect(axes).not.toContain(-1);
    }
  }, 120_000);

  it('deploy: topics and type of a description of one’s own, unless the argument says another', async () => {
    const robot = ownRobot;
    const launched = await launch('deploy', `robot:=${robot}`, 'teleop:=joy');
    expect(only(launched, 'policy').remappings).toEqual({ 'base/cmd': 'policy_vel' });
    expect(only(launched, 'policy').parameters).toMatchObject({ robot, cmd_vel_stamped: false });
    expect(only(launched, 'twist_mux').remappings).toEqual({ cmd_vel_out: 'base/cmd' });
    expect(only(launched, 'twist_mux').parameters).toMatchObject({
      use_stamped: false,
      'locks.e_stop.topic': 'halt',
    });
    expect(only(launched, 'teleop_node').parameters).toMatchObject({ publish_stamped_twist: false });
    expect(only(launched, 'teleop_node').remappings).toEqual({ cmd_vel: 'pad/cmd' });
    const record = await launch('record', `robot:=${robot}`);
    for (const executable of ['recorder', 'policy'])
      expect(only(record, executable).parameters).toMatchObject({ cmd_vel_stamped: false });
    for (const stamped of [true, false])
      for (const file of ['deploy', 'record']) {
        const { nodes } = await launch(file, 'robot:=rover', `cmd_vel_stamped:=${stamped}`);
        const told = nodes.flatMap(({ parameters: { cmd_vel_stamped, use_stamped, publish_stamped_twist } }) =>
          [cmd_vel_stamped, use_stamped, publish_stamped_twist].filter((value) => value !== undefined),
        );
        expect(new Set(told)).toEqual(new Set([stamped]));
      }
  });

  it('record: the person drives through the policy node’s safety filter; who it is can be chosen', async () => {
    const named = async (...args: string[]) =>
      (await launch('record', ...args)).nodes.map(({ executable }) => executable).sort();
    expect(await named()).toEqual(['joy_node', 'policy', 'recorder', 'teleop_node', 'twist_mux']);
    expect(await named('teleop:=none')).toEqual(['policy', 'recorder', 'twist_mux']);
    expect(await named('teleop:=expert')).toEqual(['expert', 'policy', 'recorder', 'twist_mux']);
    const launched = await launch('record', 'teleop:=none', 'session:=7', 'robot:=turtlebot4', 'use_sim_time:=true');
    expect(only(launched, 'recorder').parameters).toMatchObject({
      session: '7',
      robot: 'turtlebot4',
      use_sim_time: true,
    });
    expect(only(launched, 'policy').parameters).toMatchObject({
      source: 'teleop',
      robot: 'turtlebot4',
      use_sim_time: true,
    });
  });

  it('record: a person starts and judges the episodes where no simulator does', async () => {
    for (const [robot, supervised] of [
      ['rover', false],
      ['turtlebot4', true],
    ] as const) {
      const launched = await launch(
        'record',
        `robot:=${robot}`,
        'session:=7',
        'episodes:=30',
        'success_topic:=/arrived',
      );
      expect(only(launched, 'policy').parameters).toMatchObject({ source: 'teleop', supervised });
      if (!supervised) expect(launched.nodes.map(({ executable }) => executable)).not.toContain('supervisor');
      else
        expect(only(launched, 'supervisor').parameters).toMatchObject({
          robot,
          recorder: true,
          session: '7',
          episodes: 30,
          success_topic: '/arrived',
          policies: '',
        });
    }
  });

  it('evaluate: the supervisor has the policies, and the policy node waits for each', async () => {
    const launched = await launch(
      'evaluate',
      'robot:=turtlebot4',
      'policy:=runs/a,runs/b',
      'trials:=20',
      'blind:=true',
    );
    expect(only(launched, 'policy').parameters).toMatchObject({ policy: '', source: 'policy', supervised: true });
    expect(only(launched, 'supervisor').parameters).toMatchObject({
      policies: 'runs/a,runs/b',
      trials: 20,
      blind: true,
      recorder: true,
      robot: 'turtlebot4',
    });
    expect(only(launched, 'recorder').parameters).toMatchObject({ robot: 'turtlebot4', check_topics: true });
    const { nodes } = await launch('deploy', 'robot:=turtlebot4');
    expect(nodes.map(({ executable }) => executable)).not.toContain('supervisor');
  });

  it('replay: an episode in the place of a policy, at half its speed unless another is asked for', async () => {
    const launched = await launch('replay', 'robot:=turtlebot4', 'recording:=recordings/one', 'episode:=3');
    const expected = { replay: 'recordings/one#3', replay_speed: 0.5, source: 'policy' };
    expect(only(launched, 'policy').parameters).toMatchObject(expected);
    const whole = await launch('replay', 'robot:=turtlebot4', 'recording:=recordings/one', 'speed:=1.0');
    expect(only(whole, 'policy').parameters).toMatchObject({ replay: 'recordings/one', replay_speed: 1 });
  });

  it('learn: several recordings, and numbers as numbers', async () => {
    const launched = await launch('learn', 'recording:=one,recordings/two', 'device:=cuda', 'seed:=3', 'robot:=arm');
    expect(only(launched, 'learner').parameters).toMatchObject({
      recording: ['one', 'recordings/two'],
      device: 'cuda',
      seed: 3,
      run: 'runs/arm',
    });
  });

  it('gazebo: model, world and bridge of the robot that is asked for', async () => {
    for (const robot of ['rover', 'arm']) {
      const launched = await launch('gazebo', `robot:=${robot}`);
      expect(only(launched, 'create').arguments).toEqual(
        expect.arrayContaining(['-world', robot, '-file', `${root}/urdf/${robot}.urdf`]),
      );
      expect(only(launched, 'parameter_bridge').parameters).toMatchObject({
        config_file: `${root}/config/gazebo/${robot}_bridge.yaml`,
      });
      expect(only(launched, 'robot_state_publisher').parameters.robot_description).toBe(
        readFileSync(`${root}/urdf/${robot}.urdf`, 'utf8'),
      );
    }
  });
}

describeWithPython('launch files, as a stand-in of launch evaluates them', () => {
  const seen = new Map<string, Launched>();
  const launch = async (file: string, ...args: string[]): Promise<Launched> => {
    const key = [file, ...args].join(' ');
    if (!seen.has(key)) {
      const text = await runPython('test/launch/stand_in.py', `${root}/launch/${file}.launch.py`, root, ...args);
      seen.set(key, JSON.parse(text));
    }
    return seen.get(key)!;
  };
  checks(launch);

  it('demo and gazebo end as a whole: with the conductor, and with Gazebo', async () => {
    const { nodes } = await launch('demo');
    expect(nodes.filter(({ ends_all }) => ends_all).map(({ executable }) => executable)).toEqual(['demo']);
    for (const gui of ['true', 'false']) {
      const { processes } = await launch('gazebo', `gui:=${gui}`);
      expect(processes).toHaveLength(1);
      expect(processes![0]).toMatchObject({ ends_all: true });
      expect(processes![0]!.cmd.includes('-s')).toBe(gui === 'false');
    }
  });

  it('refuses a robot that nobody has described, before anything starts', async () => {
    for (const file of ['deploy', 'record', 'learn']) {
      const { failure, nodes } = await launch(file, 'robot:=rovr', 'recording:=recordings/one');
      expect(failure).toMatch(/unknown robot.*rovr/);
      expect(nodes).toEqual([]);
    }
  });

  it('refuses what is no choice, and learning without a recording', async () => {
    expect((await launch('gazebo', 'robot:=ur5e')).failure).toMatch(/'ur5e' of argument 'robot' is not in/);
    expect((await launch('learn')).failure).toMatch(/required launch argument 'recording'/);
  });

  it('imports nothing but launch and launch_ros', () => {
    for (const file of files) {
      const text = readFileSync(`${root}/launch/${file}.launch.py`, 'utf8');
      const modules = [...text.matchAll(/^(?:from|import) (\w+)/gm)].map(([, name]) => name);
      expect([...new Set(modules)].filter((name) => !['launch', 'launch_ros', 'typing'].includes(name!))).toEqual([]);
    }
  });
});

const rosPython = process.env.IQ_LEARN_ROS_PYTHON ?? 'python3';
function hasLaunch(): boolean {
  try {
    execFileSync(rosPython, ['-c', 'import launch_ros.actions, launch'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
// The real launch comes with a ROS 2 that is installed from packages; it is no part of the wheels, and not on PyPI.
if (hasLaunch())
  describe('launch files under the real launch', () => {
    const programs = [...executableNames.map((name) => `iq_learn/${name}`), ...foreign].join(',');
    const seen = new Map<string, Launched>();
    checks(async (file, ...args) => {
      const key = [file, ...args].join(' ');
      if (!seen.has(key)) {
        const text = execFileSync(
          rosPython,
          ['test/launch/real_launch.py', `${root}/launch/${file}.launch.py`, root, programs, ...args],
          {
            cwd: root,
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'ignore'],
          },
        );
        seen.set(key, JSON.parse(text.slice(text.lastIndexOf('\n'))));
      }
      return seen.get(key)!;
    });
  });

describe('teleoperation', () => {
  const configOf = (name: string) =>
    parse(readFileSync(`${root}/config/teleop/${name}.yaml`, 'utf8'))['/**'].ros__parameters;

  it('reaches the robot on one topic, behind the safety filter, which goes before navigation; the e-stop before all', () => {
    const { topics, locks } = configOf('twist_mux');
    expect(Object.keys(topics).sort()).toEqual(['navigation', 'policy', 'rescue']);
    expect(topics.policy).toMatchObject({ topic: 'policy_vel' });
    expect(topics.policy.priority).toBeGreaterThan(topics.navigation.priority);
    // The way round a node that is gone is no topic that a joystick speaks on by itself.
    const spoken = robotNames().flatMap((name) =>
      loadRobotSpec(name).commands.map(({ teleop }) => teleop.topic.slice(1)),
    );
    expect(spoken).not.toContain(topics.rescue.topic);
    expect(locks.e_stop).toEqual({ topic: loadRobotSpec('rover').estopTopic.slice(1), timeout: 0, priority: 255 });
    for (const { priority } of Object.values<{ priority: number }>(topics))
      expect(priority).toBeLessThan(locks.e_stop.priority);
  });

  it('base_joy: nothing without the dead-man button, and no button that goes beyond the limits', () => {
    const config = configOf('base_joy');
    expect(config.require_enable_button).toBe(true);
    expect(config.enable_button).toBeGreaterThanOrEqual(0);
    expect(config.enable_turbo_button).toBe(-1);
    expect(Object.keys(config).filter((key) => /^(axis|scale)/.test(key))).toEqual([]);
  });
});
