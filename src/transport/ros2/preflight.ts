import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { IqLearnError, messageOf } from '../../common/index.js';
import { messageTypeNames, serviceTypeNames } from '../../messages/index.js';
import type { RclAddon } from './rclnodejs.js';

/** What is looked at before rclnodejs may be imported; a test gives its own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly arch: string;
  /** Debian's or Ubuntu's, of /etc/os-release. */
  readonly codename: string | undefined;
  /** The folder of rclnodejs, undefined where it is not installed. */
  readonly rclnodejs: string | undefined;
  /** Loads an addon; throws what the dynamic linker says. */
  load(file: string): unknown;
}

const require = createRequire(import.meta.url);

/** This process's surroundings. */
export function surroundings(): Surroundings {
  return {
    env: process.env,
    platform: process.platform,
    arch: process.arch,
    codename: codename(),
    rclnodejs: installed(),
    load: (file) => require(file),
  };
}

function codename(): string | undefined {
  try {
    return /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]?.trim();
  } catch {
    return undefined;
  }
}

function installed(): string | undefined {
  try {
    return dirname(require.resolve('rclnodejs/package.json'));
  } catch {
    return undefined;
  }
}

/** Packages whose JavaScript rclnodejs needs: its own services' and ours. Topics travel as bytes and need none. */
const interfaces = [
  ...new Set<string>([
    'rcl_interfaces/msg/ParameterEvent',
    'rcl_interfaces/msg/Log',
    'rcl_interfaces/srv/SetParameters',
    'rosgraph_msgs/msg/Clock',
    ...serviceTypeNames,
  ]),
];

const setup = 'run scripts/setup-ros.sh and source .ros/env.sh';

function unavailable(what: string, found: string, expected: string, remedy: string, cause?: unknown): IqLearnError {
  return new IqLearnError('UNAVAILABLE', what, { found, expected, remedy, cause });
}

/**
 * Whether rclnodejs can be imported as it is. Importing it where its native part does not fit deletes a build that is
 * there and starts another, for minutes; where messages were not generated it generates them: nothing of that happens
 * behind anybody's back. Throws UNAVAILABLE with what is missing, in milliseconds; returns the addon it will use.
 */
export function checkRos(around: Surroundings): RclAddon {
  checkSourced(around);
  const folder = checkInstalled(around);
  const addon = checkAddon(around, folder);
  checkGenerated(folder);
  return addon;
}

function checkSourced({ env }: Surroundings): void {
  const missing = ['ROS_DISTRO', 'AMENT_PREFIX_PATH'].filter((name) => !env[name]);
  if (missing.length > 0)
    throw unavailable(
      'no ROS 2 is sourced',
      `${missing.join(' and ')} not set`,
      'the environment of a ROS 2',
      `source /opt/ros/<distro>/setup.bash and this package's install/setup.bash; without a ROS 2: ${setup}`,
    );
  const prefixes = env.AMENT_PREFIX_PATH!.split(delimiter).filter(Boolean);
  const packages = new Set([...messageTypeNames, ...interfaces].map((type) => type.split('/')[0]!));
  // Of robots that take a JointJog alone: where it is missing the topic says so.
  packages.delete('control_msgs');
  const absent = [...packages].filter((name) => !prefixes.some((prefix) => existsSync(join(prefix, 'share', name))));
  if (absent.length > 0)
    throw unavailable(
      'the ROS 2 that is sourced lacks packages',
      `no ${absent.join(', ')} in ${prefixes.join(delimiter)}`,
      'the packages of our messages',
      absent.includes('iq_learn')
        ? 'build this package (colcon build) and source its install/setup.bash'
        : `install them (apt install ${absent.map((name) => `ros-${env.ROS_DISTRO}-${name.replaceAll('_', '-')}`).join(' ')})`,
    );
}

function checkInstalled({ rclnodejs }: Surroundings): string {
  if (rclnodejs === undefined)
    throw unavailable(
      'rclnodejs is not installed',
      'no package rclnodejs',
      'rclnodejs 2.2',
      `npm install --no-save rclnodejs@2.2 with ROS 2 sourced, or ${setup}`,
    );
  const { version } = JSON.parse(readFileSync(join(rclnodejs, 'package.json'), 'utf8')) as { version: string };
  if (!/^2\.[2-9]\d*\./.test(version))
    throw unavailable(
      'another rclnodejs is installed',
      `version ${version} in ${rclnodejs}`,
      'version 2.2 or a later 2.x',
      'npm install --no-save rclnodejs@2.2 with ROS 2 sourced',
    );
  return rclnodejs;
}

function checkAddon(around: Surroundings, folder: string): RclAddon {
  const { env, platform, arch, codename } = around;
  const rebuild = `build it on purpose: npm_config_yes=true npm rebuild rclnodejs with ROS 2 sourced, or ${setup}`;
  if (env.RCLNODEJS_FORCE_BUILD === '1')
    throw unavailable(
      'rclnodejs would be rebuilt',
      'RCLNODEJS_FORCE_BUILD=1',
      'a build that is there',
      `unset it; ${rebuild}`,
    );
  // In the order in which rclnodejs tries them.
  const files = [
    join('prebuilds', `${platform}-${arch}`, `${env.ROS_DISTRO}-${codename}-${arch}-node-rclnodejs.node`),
    join('build', 'Release', 'rclnodejs.node'),
  ].map((file) => join(folder, file));
  const there = files.filter((file) => existsSync(file));
  if (there.length === 0)
    throw unavailable(
      'rclnodejs has no native part for this machine',
      `ROS 2 ${env.ROS_DISTRO}, ${platform} ${codename ?? 'unknown'}, ${arch}`,
      `one of ${files.join(', ')}`,
      rebuild,
    );
  let failure: unknown;
  for (const file of there) {
    try {
      return around.load(file) as RclAddon;
    } catch (error) {
      failure = error;
    }
  }
  // The PyPI wheels' libraries want Python's symbols from the process that loads them.
  const preload = env.IQ_LEARN_NODE_PRELOAD;
  throw unavailable(
    'the native part of rclnodejs does not load',
    messageOf(failure).split('\n')[0]!,
    `one built for ROS 2 ${env.ROS_DISTRO}, with its libraries on LD_LIBRARY_PATH`,
    preload && env.LD_PRELOAD !== preload
      ? `start node with LD_PRELOAD=${preload}`
      : `source the ROS 2 it was built with, or ${rebuild}`,
    failure,
  );
}

function checkGenerated(folder: string): void {
  const remedy = 'npx generate-ros-messages with ROS 2 and this package sourced';
  const version = (file: string): string | undefined => {
    try {
      return (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { version: string }).version;
    } catch {
      return undefined;
    }
  };
  const expected = version('rosidl_gen/generator.json');
  const found = version('generated/generator.json');
  if (found === undefined || found !== expected)
    throw unavailable(
      'the messages of rclnodejs are not generated',
      found === undefined ? `nothing in ${join(folder, 'generated')}` : `generator ${found}`,
      `generator ${expected}`,
      remedy,
    );
  const absent = interfaces.filter((type) => {
    const name = type.split('/')[0]!;
    return !existsSync(join(folder, 'generated', name, `${type.replaceAll('/', '__')}.js`));
  });
  if (absent.length > 0)
    throw unavailable(
      'rclnodejs has no JavaScript for interfaces we use',
      `none for ${absent.join(', ')}`,
      `them in ${join(folder, 'generated')}`,
      remedy,
    );
}
