import { type ChildProcess, type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { IqLearnError } from '../../src/common/index.js';
import { root } from '../harness.js';

/** How long a process may take to end before it is killed. */
const END_MS = 6000;

const python = process.env.IQ_LEARN_ROS_PYTHON ?? 'python3';

/** Throws UNAVAILABLE where no ROS 2 is sourced. */
export function checkRosSourced(): void {
  if ((process.env.AMENT_PREFIX_PATH ?? '') !== '') return;
  throw new IqLearnError('UNAVAILABLE', 'there is no ROS 2', {
    found: 'no AMENT_PREFIX_PATH',
    expected: 'a ROS 2 that is sourced, with this package and rclpy',
    remedy: 'run `bash scripts/setup-ros.sh`, then `source .ros/env.sh`',
  });
}

/** A graph of its own on this machine. */
const graph = {
  ROS_DOMAIN_ID: process.env.ROS_DOMAIN_ID ?? String(1 + (process.pid % 100)),
  ROS_AUTOMATIC_DISCOVERY_RANGE: 'LOCALHOST',
  PYTHONDONTWRITEBYTECODE: '1',
};

/** Killed, however it comes, this process takes its children with it; setpriv becomes the program that it starts. */
const setpriv = '/usr/bin/setpriv';
const leash = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL'] : [];

/** Program and arguments that start a command so that it ends with this process. */
export function leashed(command: string, args: readonly string[]): [string, string[]] {
  const [program, ...rest] = [...leash, command, ...args];
  return [program!, rest];
}

function start(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): ChildProcessWithoutNullStreams {
  return spawn(...leashed(command, args), { stdio: 'pipe', env: { ...process.env, ...graph, ...environment } });
}

/** Starts a script of bench/ with the Python of ROS 2; `packages` are seen beside its own. */
export function startPython(
  script: string,
  args: readonly string[],
  packages?: string,
): ChildProcessWithoutNullStreams {
  const path = [process.env.PYTHONPATH, packages].filter(Boolean).join(delimiter);
  return start(python, [join(root, 'bench', script), ...args], { PYTHONPATH: path });
}

const nodeOptions = readFileSync(join(root, 'config/node-options'), 'utf8').trim().split('\n');

/** Starts one of our executables, as `ros2 run iq_learn name …args` does. */
export function startExecutable(name: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  const preload = process.env.IQ_LEARN_NODE_PRELOAD;
  const environment = preload === undefined || preload === '' ? {} : { LD_PRELOAD: preload };
  return start(
    process.execPath,
    [...nodeOptions, join(root, 'dist/src/hosts/ros2/main.js'), name, ...args],
    environment,
  );
}

/** The folder of a virtual environment that packages are imported from. */
export function packagesOf(venvPython: string): string {
  const find = 'import sysconfig; print(sysconfig.get_path("purelib"))';
  return execFileSync(venvPython, ['-c', find], { encoding: 'utf8' }).trim();
}

/** Keeps the end of what a process says, for when it fails. */
export class Watched {
  readonly #child: ChildProcess;
  #said = '';
  #ending = false;

  constructor(
    readonly name: string,
    child: ChildProcessWithoutNullStreams,
    onFailure: (error: IqLearnError) => void,
  ) {
    this.#child = child;
    const keep = (text: string): void => {
      this.#said = (this.#said + text).slice(-3000);
    };
    child.stderr.setEncoding('utf8').on('data', keep);
    child.stdout.setEncoding('utf8').on('data', keep);
    const fail = (found: string): void => {
      if (!this.#ending)
        onFailure(new IqLearnError('UNAVAILABLE', `${name} does not run`, { found: `${found}: ${this.#said.trim()}` }));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`it ended with ${signal ?? code}`));
  }

  async end(): Promise<void> {
    this.#ending = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  }
}

/** A script that answers a JSON line with a JSON line. */
export class Dialogue {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdin.on('error', () => {}); // its end is told by who watches it
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Never resolves once the script has ended. */
  async ask<Answer>(request: object): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    if (line.done) return await new Promise(() => {});
    return JSON.parse(line.value) as Answer;
  }
}
