import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rosMessageTypeNames } from '#src/messages/index.js';
import { createNodeLogger } from '#src/platform/index.js';
import { openRos2 } from '#src/transport/ros2/index.js';
import { checkRos, type Surroundings } from '#src/transport/ros2/preflight.js';

/** A machine made of files: a ROS 2 and an rclnodejs that fit, of which each test takes something away. */
describe('what is refused before rclnodejs is imported, which would build or generate for minutes', () => {
  let root: string;
  let around: Surroundings;
  const loaded: string[] = [];
  const write = (file: string, text = ''): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  const services = ['std_srvs', 'rcl_interfaces', 'lifecycle_msgs'];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'preflight-'));
    loaded.length = 0;
    for (const name of new Set([...rosMessageTypeNames.map((type) => type.split('/')[0]!), ...services]))
      write(`ros/share/${name}/package.xml`);
    write('rcl/package.json', '{"version": "2.2.0"}');
    write('rcl/build/Release/rclnodejs.node');
    write('rcl/rosidl_gen/generator.json', '{"version": "1.0.0"}');
    write('rcl/generated/generator.json', '{"version": "1.0.0"}');
    for (const type of [
      'rcl_interfaces/msg/ParameterEvent',
      'rcl_interfaces/msg/Log',
      'rcl_interfaces/srv/SetParameters',
      'rcl_interfaces/srv/SetParametersAtomically',
      'lifecycle_msgs/srv/ChangeState',
      'lifecycle_msgs/srv/GetState',
      'rosgraph_msgs/msg/Clock',
      'std_srvs/srv/Trigger',
      'std_srvs/srv/SetBool',
      'iq_learn/srv/StartEpisode',
      'iq_learn/srv/LoadPolicy',
    ])
      write(`rcl/generated/${type.split('/')[0]}/${type.replaceAll('/', '__')}.js`);
    around = {
      env: { ROS_DISTRO: 'kilted', AMENT_PREFIX_PATH: join(root, 'ros') },
      platform: 'linux',
      arch: 'x64',
      codename: 'noble',
      rclnodejs: join(root, 'rcl'),
      load: (file) => {
        loaded.push(file.slice(root.length + 1));
        return { addon: true };
      },
    };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const refusal = (changes: Partial<Surroundings> = {}): { code: string; message: string } => {
    try {
      checkRos({ ...around, ...changes });
    } catch (error) {
      return error as { code: string; message: string };
    }
    throw new Error('nothing was refused');
  };

  test('nothing, where all fits', () => {
    expect(checkRos(around)).toEqual({ addon: true });
    expect(loaded).toEqual(['rcl/build/Release/rclnodejs.node']);
  });

  test('no ROS 2 sourced', () => {
    expect(refusal({ env: {} })).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/no ROS 2 is sourced.*ROS_DISTRO and AMENT_PREFIX_PATH.*source \/opt\/ros/),
    });
    expect(loaded).toEqual([]);
  });

  test('openRos2 asks first', async () => {
    vi.stubEnv('ROS_DISTRO', 'kilted');
    vi.stubEnv('AMENT_PREFIX_PATH', undefined);
    const opening = openRos2({ nodeName: 'policy', managed: false, logger: createNodeLogger('policy') });
    await expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE', found: 'AMENT_PREFIX_PATH not set' });
    vi.unstubAllEnvs();
  });

  test('a ROS 2 without our package, or without one that apt has', () => {
    rmSync(join(root, 'ros/share/iq_learn'), { recursive: true });
    expect(refusal().message).toMatch(/no iq_learn.*colcon build/);
    rmSync(join(root, 'ros/share/nav_msgs'), { recursive: true });
    write('ros/share/iq_learn/package.xml');
    expect(refusal().message).toMatch(/no nav_msgs.*apt install ros-kilted-nav-msgs/);
  });

  test('rclnodejs not installed, or of another version', () => {
    expect(refusal({ rclnodejs: undefined })).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/rclnodejs is not installed.*npm install/),
    });
    write('rcl/package.json', '{"version": "1.9.0"}');
    expect(refusal().message).toMatch(/version 1\.9\.0.*2\.2/);
  });

  test('no native part for this machine: one for another ROS 2 does not count', () => {
    rmSync(join(root, 'rcl/build'), { recursive: true });
    write('rcl/prebuilds/linux-x64/jazzy-noble-x64-node-rclnodejs.node');
    expect(refusal()).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/ROS 2 kilted, linux noble, x64.*kilted-noble-x64-node.*build it on purpose/),
    });
    expect(loaded).toEqual([]);
    write('rcl/prebuilds/linux-x64/kilted-noble-x64-node-rclnodejs.node');
    checkRos(around);
    expect(loaded).toEqual(['rcl/prebuilds/linux-x64/kilted-noble-x64-node-rclnodejs.node']);
  });

  test('a native part that does not load, with what the linker says', () => {
    const load = (): never => {
      throw new Error('librcl.so: cannot open shared object file');
    };
    expect(refusal({ load }).message).toMatch(/does not load.*librcl\.so: cannot open.*LD_LIBRARY_PATH/);
    const env = { ...around.env, IQ_LEARN_NODE_PRELOAD: '/lib/libpython3.so' };
    expect(refusal({ load, env }).message).toMatch(/LD_PRELOAD=\/lib\/libpython3\.so/);
  });

  test('a rebuild asked for in the environment', () => {
    const env = { ...around.env, RCLNODEJS_FORCE_BUILD: '1' };
    expect(refusal({ env }).message).toMatch(/would be rebuilt.*RCLNODEJS_FORCE_BUILD/);
  });

  test('messages not generated, by another generator, or before ours were there', () => {
    rmSync(join(root, 'rcl/generated/iq_learn/iq_learn__srv__StartEpisode.js'));
    expect(refusal().message).toMatch(/none for iq_learn\/srv\/StartEpisode.*generate-ros-messages/);
    write('rcl/generated/generator.json', '{"version": "0.9.0"}');
    expect(refusal().message).toMatch(/generator 0\.9\.0.*generator 1\.0\.0.*generate-ros-messages/);
    rmSync(join(root, 'rcl/generated'), { recursive: true });
    expect(refusal().message).toMatch(/not generated.*generate-ros-messages/);
  });
});
