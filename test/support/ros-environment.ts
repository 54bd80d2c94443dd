import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Our messages are found: this package is built, and a ROS 2 sourced that has it. */
function isSourced(environment: NodeJS.ProcessEnv): boolean {
  return (environment.AMENT_PREFIX_PATH ?? '')
    .split(':')
    .some((prefix) => prefix !== '' && existsSync(join(prefix, 'share/ament_index/resource_index/packages/iq_learn')));
}

/**
 * Sources .ros/env.sh into `environment` where scripts/setup-ros.sh has written one and it is not sourced yet. Must
 * happen before test processes start: libraries are only looked for on the LD_LIBRARY_PATH a process began with.
 */
export function sourceRos(environment: NodeJS.ProcessEnv = process.env): void {
  const script = join(root, '.ros/env.sh');
  if (!isSourced(environment) && existsSync(script)) {
    const printed = execFileSync('bash', ['-c', 'source "$1" >&2 && env -0', 'bash', script], { encoding: 'utf8' });
    const entries = printed.split('\0').filter((entry) => entry.includes('='));
    const sourced = Object.fromEntries(
      entries.map((entry) => [entry.split('=', 1)[0]!, entry.slice(entry.indexOf('=') + 1)]),
    );
    if (isSourced(sourced)) Object.assign(environment, sourced);
  }
  if (isSourced(environment) && environment.IQ_LEARN_NODE_PRELOAD)
    environment.LD_PRELOAD = environment.IQ_LEARN_NODE_PRELOAD;
}

/** Undefined where ROS 2 and this package's messages can be used, else what to do. */
export function rosMissing(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return isSourced(environment) ? undefined : 'no ROS 2 with this package; make one with: bash scripts/setup-ros.sh';
}
