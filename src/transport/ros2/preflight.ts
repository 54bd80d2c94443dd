import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { IqLearnError, messageOf } from '../../common/index.js';
import { rosMessageTypeNames, rosServiceTypeNames } from '../../messages/index.js';
import type { RclAddon } from './rclnodejs.js';

/** The facts that decide whether rclnodejs can be imported. Tests give their own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly arch: string;
  /** Code name of the Debian or Ubuntu release, from /etc/os-release. */
  readonly codename: string | undefined;
  /** The folder of rclnodejs; undefined if it is not installed. */
  readonly rclnodejs: string | undefined;
  /** Loads an addon. Throws the dynamic linker's error. */
  load(file: string): unknown;
}

const require = createRequire(import.meta.url);

/** The facts of this process. */
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

/** Packages whose generated JavaScript rclnodejs needs, for services. Topics travel as bytes and need none. */
const interfaces = [
  ...new Set<string>([
    'rcl_interfaces/msg/ParameterEvent',
    'rcl_interfaces/msg/Log',
    'rcl_interfaces/srv/SetParameters',
    'rosgraph_msgs/msg/Clock',
    ...rosServiceTypeNames,
  ]),
];

/**
 * Packages that only some robots need, for AckermannDrive, JointJog and poses in other frames: where one is missing,
 * whoever needs it says so.
 */
const ONLY_SOME_ROBOTS = ['ackermann_msgs', 'control_msgs', 'tf2_msgs'];

const setup = 'run scripts/setup-ros.sh and source .ros/env.sh';

function unavailable(what: string, found: string, expected: string, remedy: string, cause?: unknown): IqLearnError {
  return new IqLearnError('UNAVAILABLE', what, { found, expected, remedy, cause });
}

/**
 * Checks that rclnodejs can be imported as it is installed, and returns the addon that it will load. An import with an
 * unfit native part would delete the present build and start another, for minutes, and one without generated messages
 * would generate them; neither is to happen unasked. Throws UNAVAILABLE within milliseconds, naming what is missing.
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
  const packages = new Set([...rosMessageTypeNames, ...interfaces].map((type) => type.split('/')[0]!));
  for (const name of ONLY_SOME_ROBOTS) packages.delete(name);
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
  // The order in which rclnodejs tries them.
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
  // The libraries of the PyPI wheels need Python's symbols in the process that loads them.
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
