import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const venv = resolve(root, process.env.IQ_LEARN_PYTHON_VENV || '.venv-test');
const python = join(venv, 'bin', 'python');
const remedy = `no ${python}; make it with: sh scripts/setup-python.sh`;

/**
 * A block of tests that need the Python environment of scripts/setup-python.sh. Without it they are skipped with the
 * reason in their name, so that a fresh checkout passes; where CI is set, its absence fails.
 */
export function describeWithPython(name: string, tests: () => void): void {
  if (existsSync(python)) describe(name, tests);
  else if (process.env.CI)
    it(`${name}: needs Python`, () => {
      throw new Error(remedy);
    });
  else describe.skip(`${name} (${remedy})`, tests);
}

/** Runs a script (a path from the project's root) and gives what it printed. Rejects with its stderr. */
export async function runPython(script: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, [resolve(root, script), ...args], {
    maxBuffer: 256 * 1024 * 1024,
    // without a sourced ROS 2, whose packages would come before the venv's
    env: { ...process.env, PYTHONPATH: '', LD_LIBRARY_PATH: '', PYTHONDONTWRITEBYTECODE: '1' },
  });
  return stdout;
}
