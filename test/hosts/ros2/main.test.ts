import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { executables } from '#src/hosts/ros2/executables/index.js';
import { parametersOf } from '#src/hosts/ros2/host.js';
import { loadRobotSpec } from '#src/robot/index.js';

const main = fileURLToPath(new URL('../../../dist/src/hosts/ros2/main.js', import.meta.url));
const readme = readFileSync(new URL('../../../src/hosts/ros2/README.md', import.meta.url), 'utf8');

/** Without a ROS 2, wherever the tests run. */
const run = (...args: string[]) => {
  const { AMENT_PREFIX_PATH: _, ROS_DISTRO: __, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
};

describe('the executables without a ROS 2', () => {
  it('lists them, and proposes the nearest name for one that is none', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('policy') });
    const { status, stderr } = run('polcy');
    expect(status).toBe(2);
    expect(stderr).toMatch(/polcy.*policy/s);
  });

  it('explains parameters with type, default and meaning, without ROS 2', () => {
    const { status, stdout } = run('learner', '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/learner\.gamma: double \(0…1\) = 0\.95\n +Discount/);
    expect(stdout).toMatch(/resume: bool = true/);
  });

  it('ends at once with what to do', () => {
    const { status, stderr } = run('policy');
    expect(status).toBe(1);
    expect(stderr).toMatch(/ROS 2/);
    expect(stderr).toMatch(/source/);
    expect(stderr).not.toMatch(/\n +at /); // no stack
  });
});

describe('src/hosts/ros2/README.md', () => {
  const sections = new Map(
    readme.split(/^## /m).map((text): [string, string] => [text.slice(0, text.indexOf('\n')).trim(), text]),
  );
  const common = sections.get('Parameters of all managed nodes')!;

  it.each(executables.map((each): [string, (typeof executables)[number]] => [each.name, each]))(
    '%s: tells of each parameter',
    (name, executable) => {
      const text = `${common}${sections.get(name)}`;
      for (const { name: parameter } of parametersOf(executable, loadRobotSpec('rover')).declarations)
        expect(text, `${parameter} of ${name}`).toContain(
          parameter.startsWith('learner.')
            ? '`learner.*`'
            : parameter.startsWith('task.')
              ? '`task.…`'
              : `\`${parameter}\``,
        );
    },
  );
});
