import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, it } from 'vitest';
// The bench's own part.
import { leashed } from '../../dist/bench/ros2/processes.js';
import { rosMissing } from './ros-environment.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const python = process.env.IQ_LEARN_ROS_PYTHON ?? 'python3';

/**
 * A block of tests over a real ROS 2, on a domain of its own. Where there is none they are skipped with the reason in
 * their name, so that a fresh checkout passes; where CI is set, its absence fails. What the tests started is killed after them.
 */
export function describeWithRos(name: string, tests: () => void): void {
  const remedy = rosMissing();
  if (remedy === undefined)
    describe(name, () => {
      beforeAll(claimDomain);
      afterAll(killAll);
      tests();
    });
  else if (process.env.CI)
    it(`${name}: needs ROS 2`, () => {
      throw new Error(remedy);
    });
  else describe.skip(`${name} (${remedy})`, tests);
}

let claimed = false;

/** Sets ROS_DOMAIN_ID to one that no other test process of this machine uses: each holds a TCP port as long as it lives. */
async function claimDomain(): Promise<void> {
  process.env.ROS_AUTOMATIC_DISCOVERY_RANGE = 'LOCALHOST';
  for (let i = 0; !claimed && i < 100; i++) {
    const domain = 1 + ((process.pid + i) % 100);
    claimed = await new Promise<boolean>((resolve) => {
      const server = createServer()
        .once('error', () => resolve(false))
        .once('listening', () => {
          server.unref();
          resolve(true);
        })
        .listen(17400 + domain, '127.0.0.1');
    });
    if (claimed) process.env.ROS_DOMAIN_ID = String(domain);
  }
  if (!claimed) throw new Error('all of the ROS domains 1 to 100 are in use by tests');
}

export interface Exit {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RosProcess {
  readonly pid: number;
  /** The lines that it has printed so far, on both streams; what it said over ROS later may be here before. */
  readonly output: string;
  readonly exited: Promise<Exit>;
  /** The first line it printed or prints that matches. Rejects, with its output, where it ends or time passes before. */
  line(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Writes a line to its standard input. */
  send(line: string): void;
  kill(signal: NodeJS.Signals): void;
}

const running = new Set<ChildProcess>();

/** Each is the leader of a process group, so that what it started goes with it. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function killAll(): Promise<void> {
  const exits = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) killGroup(child, 'SIGKILL');
  await Promise.all(exits);
}

function start(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  folder: string = root,
): RosProcess {
  const child = spawn(...leashed(command, args), {
    cwd: folder,
    detached: true,
    env: { ...process.env, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', ...environment },
  });
  running.add(child);
  const lines: string[] = [];
  let ended: string | undefined;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  for (const stream of [child.stdout, child.stderr]) {
    // A line may come in pieces, and those of the other stream between them.
    let piece = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const [first, ...rest] = text.split('\n');
      piece += first;
      for (const next of rest) {
        lines.push(piece);
        piece = next;
      }
      if (rest.length > 0) wake();
    });
    stream.once('end', () => {
      if (piece !== '') lines.push(piece);
    });
  }
  child.stdin.on('error', () => {}); // it may have ended; `line` and `exited` tell
  const exited = new Promise<Exit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null, why: string): void => {
      running.delete(child);
      ended = why;
      resolve({ code, signal });
      wake();
    };
    child.once('error', (error) => end(null, null, `did not start: ${error.message}`));
    child.once('close', (code, signal) => end(code, signal, `ended with ${signal ?? `exit code ${code}`}`));
  });
  return {
    pid: child.pid ?? -1,
    exited,
    get output() {
      return lines.map((line) => `${line}\n`).join('');
    },
    line: (pattern, timeoutMs = 120_000) =>
      new Promise((resolve, reject) => {
        let seen = 0;
        const settle = (found: string | Error): void => {
          waiting.delete(look);
          clearTimeout(timer);
          if (found instanceof Error) reject(found);
          else resolve(found);
        };
        const fail = (why: string): void =>
          settle(
            new Error(
              `${[command, ...args].join(' ')} ${why} and printed no line like ${pattern}:\n${lines.join('\n')}`,
            ),
          );
        const look = (): void => {
          while (seen < lines.length) {
            const line = lines[seen++]!;
            if (pattern.test(line)) {
              settle(line);
              return;
            }
          }
          if (ended !== undefined) fail(ended);
        };
        const timer = setTimeout(() => fail(`ran ${timeoutMs} ms`), timeoutMs);
        waiting.add(look);
        look();
      }),
    send: (line) => void child.stdin.write(`${line}\n`),
    kill: (signal) => void child.kill(signal),
  };
}

const preload = process.env.IQ_LEARN_NODE_PRELOAD ? { LD_PRELOAD: process.env.IQ_LEARN_NODE_PRELOAD } : {};

/** Starts a Node program (a path from the project's root) that may load rclnodejs. */
export function startNode(file: string, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): RosProcess {
  return start(process.execPath, [join(root, file), ...args], { ...preload, ...environment });
}

/** Starts one of this checkout's executables, e.g. policy: what `ros2 run iq_learn policy …args` does. */
export function startExecutable(
  name: string,
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): RosProcess {
  return startNode('dist/src/hosts/ros2/main.js', [name, ...args], environment);
}

/** Starts any program, in `folder`. */
export function startProgram(command: string, args: readonly string[], folder: string): RosProcess {
  return start(command, args, {}, folder);
}

/** Starts an rclpy script (a path from the project's root). */
export function startPython(
  script: string,
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): RosProcess {
  return start(python, [join(root, script), ...args], environment);
}

/** Runs an rclpy script to its end and gives what it printed. Rejects with its stderr. */
export async function runRosPython(script: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, [join(root, script), ...args], {
    cwd: root,
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  return stdout;
}
