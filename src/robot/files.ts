import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IqLearnError, messageOf, unknownName } from '../common/index.js';
import { parseRobotSpec } from './parse.js';
import type { RobotSpec } from './types.js';

/** config/robots of the package this code was installed with. */
function robotsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new IqLearnError('NOT_FOUND', 'the package folder of iq_learn is not there', {
        found: `no package.json above ${fileURLToPath(import.meta.url)}`,
        expected: 'an installed package',
        remedy: 'install iq_learn again',
      });
    folder = parent;
  }
  return join(folder, 'config', 'robots');
}

/** Names of the robots in config/robots, sorted. */
export function robotNames(): string[] {
  return readdirSync(robotsFolder())
    .filter((file) => extname(file) === '.yaml')
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/**
 * The RobotSpec of a robot in config/robots, or of a YAML file given by its path (anything with a / or an extension
 * .yaml or .yml). Throws NOT_FOUND (nearest name proposed), IO, or what {@link parseRobotSpec} throws.
 */
export function loadRobotSpec(nameOrPath: string): RobotSpec {
  const isPath = /[\\/]|\.ya?ml$/.test(nameOrPath);
  if (!isPath && !robotNames().includes(nameOrPath)) throw unknownName('robot', nameOrPath, robotNames());
  const path = isPath ? nameOrPath : join(robotsFolder(), `${nameOrPath}.yaml`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new IqLearnError(missing ? 'NOT_FOUND' : 'IO', `cannot read the robot's description ${path}`, {
      found: missing ? 'no such file' : messageOf(cause),
      expected: `a YAML file, or one of ${robotNames().join(', ')}`,
      cause,
    });
  }
  return parseRobotSpec(text, isPath ? path : `config/robots/${nameOrPath}.yaml`);
}
