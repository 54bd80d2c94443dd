import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, test } from 'vitest';
import { Random } from '#src/common/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { createTask, Physics } from '#src/simulation/index.js';
import { ArmKinematics } from '#src/simulation/tasks/arm/kinematics.js';
import { armHome, armJoints, armModel, armTools } from '#src/simulation/tasks/arm/model.js';
import { armGoalRadius } from '#src/simulation/tasks/arm/task.js';
import { roverLayout } from '#src/simulation/tasks/rover/layout.js';
import { roverBase, roverModel } from '#src/simulation/tasks/rover/model.js';
import { fileOf, modelIn, numbersIn } from './support.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** MuJoCo reads URDF itself. Its root is put on a rail where it would be welded to the world. */
async function loadUrdf(name: string, onRail: boolean): Promise<Physics> {
  const compiler = '<mujoco><compiler discardvisual="false" fusestatic="false" angle="radian"/></mujoco>';
  const rail =
    '<link name="ground"/><joint name="rail" type="prismatic"><parent link="ground"/><child link="base_link"/><limit lower="-1" upper="1" effort="1" velocity="1"/></joint>';
  const xml = fileOf(`urdf/${name}.urdf`).replace(/<robot name="\w+">/, (tag) => tag + compiler + (onRail ? rail : ''));
  return await Physics.load(xml);
}

const opened: { close(): void }[] = [];
const keep = async <T extends { close(): void }>(made: Promise<T>): Promise<T> => {
  const object = await made;
  opened.push(object);
  return object;
};
afterAll(() => {
  for (const each of opened) each.close();
});

const massOf = (physics: Physics, body: string): number => physics.model('body_mass')[physics.body(body)]!;
const total = (physics: Physics): number => physics.model('body_mass').reduce((sum, mass) => sum + mass, 0);

describe('the rover in Gazebo and in MuJoCo', () => {
  const urdf = fileOf('urdf/rover.urdf');

  it('weighs the same, part by part, and stands on wheels of the same radius and track', async () => {
    const [gazebo, mujoco] = [await keep(loadUrdf('rover', true)), await keep(Physics.load(roverModel(roverLayout)))];
    expect(total(gazebo)).toBeCloseTo(total(mujoco), 6);
    for (const wheel of ['wheel_left', 'wheel_right'] as const) {
      expect(massOf(gazebo, wheel)).toBe(massOf(mujoco, wheel));
      for (const array of ['body_pos', 'body_inertia']) {
        const of = (physics: Physics) => [
          ...physics.model(array).slice(3 * physics.body(wheel), 3 * physics.body(wheel) + 3),
        ];
        expect(of(gazebo).sort()).toEqual(
          of(mujoco)
            .sort()
            .map((value) => expect.closeTo(value, 6)),
        );
      }
    }
    expect(urdf.match(/<cylinder radius="0\.05"/g)).toHaveLength(4);
    expect(urdf).toContain(`<cylinder radius="${roverLayout.robotRadius}" length="0.1"/>`);
    // Both stand with the axle at the wheels' radius, but for how far MuJoCo's contacts give way.
    expect(Math.abs(roverBase.axleHeight - roverBase.wheelRadius)).toBeLessThan(0.001);
  });

  it('is commanded by the same geometry, limits and ramps', () => {
    expect(numbersIn(urdf, 'wheel_separation')).toEqual([2 * roverBase.halfTrack]);
    expect(numbersIn(urdf, 'wheel_radius')).toEqual([roverBase.wheelRadius]);
    const [linear, angular] = loadRobotSpec('rover').action;
    for (const [kind, { low, high }] of [
      ['linear', linear!],
      ['angular', angular!],
    ] as const)
      expect([numbersIn(urdf, `min_${kind}_velocity`), numbersIn(urdf, `max_${kind}_velocity`)]).toEqual([
        [low],
        [high],
      ]);
    expect([numbersIn(urdf, 'max_linear_acceleration'), numbersIn(urdf, 'max_angular_acceleration')]).toEqual([
      [2],
      [8],
    ]);
  });

  it('sees through the same range sensor, at the robot’s rate and in its frames', async () => {
    const task = await keep(createTask('rover'));
    const scan = task.sense().scan!;
    expect(numbersIn(urdf, 'samples')).toEqual([scan.ranges.length]);
    expect(numbersIn(urdf, 'min_angle')[0]).toBeCloseTo(scan.angleMin, 6);
    expect(numbersIn(urdf, 'max_angle')[0]).toBeCloseTo(
      scan.angleMin + scan.angleIncrement * (scan.ranges.length - 1),
      6,
    );
    expect([numbersIn(urdf, 'min'), numbersIn(urdf, 'max')]).toEqual([[scan.rangeMin], [scan.rangeMax]]);
    expect(numbersIn(urdf, 'pose')).toEqual([0, 0, roverBase.lidarHeight, 0, 0, 0]);
    const spec = loadRobotSpec('rover');
    const frame = (topic: string) => spec.stateTopics.find((state) => state.topic === topic)!.frameId;
    expect(urdf).toContain(`<gz_frame_id>${frame('/scan')}</gz_frame_id>`);
    expect(urdf).toContain(`<odom_frame>${frame('/odom')}</odom_frame>`);
    expect(urdf).toContain(`<robot_base_frame>${spec.frameId}</robot_base_frame>`);
    expect([numbersIn(urdf, 'update_rate'), numbersIn(urdf, 'odom_publish_frequency')]).toEqual([
      [spec.rateHz],
      [spec.rateHz],
    ]);
  });

  it('drives in the same arena', () => {
    const world = fileOf('worlds/rover.sdf');
    const { halfWidth, wallHeight, pillars, blocks, goalRadius } = roverLayout;
    pillars.forEach(({ x, y, radius }, i) => {
      const model = modelIn(world, `pillar_${i}`);
      expect(numbersIn(model, 'pose').slice(0, 3)).toEqual([x, y, wallHeight / 2]);
      expect([numbersIn(model, 'radius'), numbersIn(model, 'length')]).toEqual([[radius], [wallHeight]]);
    });
    blocks.forEach(({ x, y, halfX, halfY }, i) => {
      const model = modelIn(world, `block_${i}`);
      expect(numbersIn(model, 'pose').slice(0, 3)).toEqual([x, y, wallHeight / 2]);
      expect(numbersIn(model, 'size')).toEqual([2 * halfX, 2 * halfY, wallHeight]);
    });
    for (const [name, axis, sign] of [
      ['east', 0, 1],
      ['west', 0, -1],
      ['north', 1, 1],
      ['south', 1, -1],
    ] as const) {
      const model = modelIn(world, `wall_${name}`);
      const face = numbersIn(model, 'pose')[axis]! - (sign * numbersIn(model, 'size')[axis]!) / 2;
      expect(face).toBeCloseTo(sign * halfWidth);
    }
    const models = [...world.matchAll(/<model name="(\w+)">/g)].map(([, name]) => name!);
    expect(models).toHaveLength(1 + 4 + pillars.length + blocks.length + 1);
    const goal = modelIn(world, 'goal');
    expect(goal).not.toContain('<collision');
    expect(numbersIn(goal, 'radius')).toEqual([goalRadius]);
  });
});

describe('the arm in Gazebo and in MuJoCo', () => {
  it('is the same chain: masses, inertias and where the tool is, in any posture', async () => {
    const gazebo = await keep(loadUrdf('arm', false));
    const mujoco = await keep(Physics.load(armModel()));
    const kinematics = await keep(ArmKinematics.load());
    for (let i = 1; i <= 7; i++) {
      expect(massOf(gazebo, `link${i}`)).toBeCloseTo(massOf(mujoco, `link${i}`), 9);
      for (const array of ['body_inertia', 'body_ipos']) {
        const of = (physics: Physics) => [
          ...physics.model(array).slice(3 * physics.body(`link${i}`), 3 * physics.body(`link${i}`) + 3),
        ];
        expect(of(gazebo).sort()).toEqual(
          of(mujoco)
            .sort()
            .map((value) => expect.closeTo(value, 6)),
        );
      }
    }
    const random = Random.derive(4, 'postures');
    for (const joints of [armHome, ...Array.from({ length: 20 }, () => armHome.map(() => random.uniform(-2, 2)))]) {
      gazebo.qpos.set(joints);
      gazebo.forward();
      kinematics.measure(joints);
      const tool = gazebo.body('tool');
      const { position, orientation } = kinematics.toolPose();
      expect([...gazebo.data('xpos').slice(3 * tool, 3 * tool + 3)]).toEqual(
        position.map((value) => expect.closeTo(value, 6)),
      );
      const [w, x, y, z] = gazebo.data('xquat').slice(4 * tool, 4 * tool + 4);
      const [qx, qy, qz, qw] = orientation;
      // q and −q are one orientation.
      expect(Math.abs(w! * qw + x! * qx + y! * qy + z! * qz)).toBeCloseTo(1, 6);
    }
    const urdf = fileOf('urdf/arm.urdf');
    expect([...urdf.matchAll(/<joint_name>(\w+)</g)].map(([, name]) => name)).toEqual(armJoints);
  });

  it('has the same tip, puck, table and goal', () => {
    const world = fileOf('worlds/arm.sdf');
    expect(fileOf('urdf/arm.urdf')).toContain(`<sphere radius="${armTools.tipRadius}"/>`);
    const puck = modelIn(world, 'puck');
    expect([numbersIn(puck, 'radius'), numbersIn(puck, 'length'), numbersIn(puck, 'mass')]).toEqual([
      [armTools.puckRadius],
      [2 * armTools.puckHalfHeight],
      [0.3],
    ]);
    const table = modelIn(world, 'table');
    expect(numbersIn(table, 'pose')[2]! + numbersIn(table, 'size')[2]! / 2).toBe(0);
    expect(numbersIn(modelIn(world, 'goal'), 'radius')).toEqual([armGoalRadius]);
  });
});

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8' });
function has(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** libsdformat is named with its version: sdformat12, sdformat14 … */
const sdformat = has('pkg-config', '--version')
  ? /^sdformat\d+/m.exec(run('pkg-config', '--list-all'))?.[0]
  : undefined;

/** Readers of others. On CI they are there; elsewhere their absence skips, with the reason in the name. */
function describeWith(what: string, present: boolean, remedy: string, tests: () => void): void {
  if (present || process.env.CI) describe(what, tests);
  else describe.skip(`${what} (needs ${remedy})`, tests);
}

describeWith(
  'check_urdf',
  has('check_urdf', 'urdf/rover.urdf') || has('which', 'check_urdf'),
  'liburdfdom-tools',
  () => {
    test.each([
      ['rover', 'base_link has 6 child'],
      ['arm', 'child(1):  tool'],
    ])('reads %s', (robot, text) => {
      const out = run('check_urdf', `urdf/${robot}.urdf`);
      expect(out).toContain('Successfully Parsed XML');
      expect(out).toContain(text);
    });
  },
);

describeWith('libsdformat', sdformat !== undefined, 'libsdformat-dev, pkg-config and g++', () => {
  it('reads the worlds, and the models as Gazebo converts them, without an error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sdf-'));
    try {
      const flags = run('pkg-config', '--cflags', '--libs', sdformat!).trim().split(/\s+/);
      const program = join(folder, 'check_sdf');
      run('g++', '-std=c++17', '-o', program, 'test/gazebo/check_sdf.cc', ...flags);
      expect(
        run(program, 'worlds/rover.sdf', 'worlds/arm.sdf', 'urdf/rover.urdf', 'urdf/arm.urdf').trim().split('\n'),
      ).toEqual([
        'worlds/rover.sdf: world rover, 11 models',
        'worlds/arm.sdf: world arm, 3 models',
        // Fixed joints are lumped: the lidar and casters belong to base_link.
        'urdf/rover.urdf: model rover, 3 links, 2 joints, 1 sensors',
        'urdf/arm.urdf: model arm, 8 links, 8 joints, 0 sensors',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
