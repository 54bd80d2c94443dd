import { IqLearnError, unknownName } from '../common/index.js';
import { basename, extname, join, namesIn, packageFolder, readText } from '../platform/index.js';
import { parseRobotSpec } from './parse.js';
import type { RobotSpec } from './types.js';

const robotsFolder = (): string => join(packageFolder(), 'config', 'robots');

/** Names of the robots in config/robots of this package, sorted. */
export function robotNames(): string[] {
  return namesIn(robotsFolder())
    .filter((file) => extname(file) === '.yaml')
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/**
 * The RobotSpec of a robot in config/robots, or of a YAML file given by its path (anything with a slash, or with the
 * extension .yaml or .yml). Throws NOT_FOUND (with the nearest name as a proposal), IO, or what {@link parseRobotSpec}
 * throws.
 */
export function loadRobotSpec(nameOrPath: string): RobotSpec {
  const isPath = /[\\/]|\.ya?ml$/.test(nameOrPath);
  if (!isPath && !robotNames().includes(nameOrPath)) throw unknownName('robot', nameOrPath, robotNames());
  const path = isPath ? nameOrPath : join(robotsFolder(), `${nameOrPath}.yaml`);
  return parseRobotSpec(readDescription(path), isPath ? path : `config/robots/${nameOrPath}.yaml`);
}

function readDescription(path: string): string {
  try {
    return readText(path);
  } catch (cause) {
    if (!(cause instanceof IqLearnError)) throw cause;
    throw new IqLearnError(cause.code, `cannot read the robot's description ${path}`, {
      ...(cause.found === undefined ? {} : { found: cause.found }),
      expected: `a YAML file, or one of ${robotNames().join(', ')}`,
      cause,
    });
  }
}
