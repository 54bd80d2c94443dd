import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IqLearnError } from '../../src/common/index.js';

/** Debian has it where not every shell looks. */
const MOSQUITTO = existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto';

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Broker {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

/** Starts mosquitto with a file of its own in the folder. Throws UNAVAILABLE. */
export async function startMosquitto(folder: string): Promise<Broker> {
  const port = await freePort();
  const configuration = join(folder, 'mosquitto.conf');
  writeFileSync(
    configuration,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\n`,
  );
  const child = spawn(MOSQUITTO, ['-c', configuration], { stdio: 'ignore' });
  let failed = '';
  child.once('error', (error) => {
    failed = error.message;
  });
  process.once('exit', () => child.kill('SIGKILL'));
  for (let i = 0; i < 200; i++) {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (reached) return { port, pid: child.pid!, stop: () => child.kill('SIGKILL') };
    await sleep(25);
  }
  throw new IqLearnError('UNAVAILABLE', 'mosquitto does not start', {
    found: failed === '' ? 'nothing on its port' : failed,
    expected: 'the broker of Debian',
    remedy: 'apt-get install mosquitto',
  });
}

/** Resolves with the rest of the line in which the process says `word`, from now on. */
export function said(child: ChildProcess, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk: unknown): void => {
      text += chunk;
      const line = new RegExp(`^${word}(.*)\\n`, 'm').exec(text);
      if (line === null) return;
      child.stdout!.off('data', hear);
      child.off('exit', ended);
      resolve(line[1]!.trim());
    };
    const ended = (code: number | null): void => reject(new Error(`a process of the bench ended with code ${code}`));
    child.stdout!.on('data', hear);
    child.once('exit', ended);
  });
}

/** CPU time in seconds and resident memory in MiB of a process; undefined where there is no /proc, or no such process. */
export function usage(pid: number): { readonly cpu: number; readonly rss: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, rss: (Number(fields[21]) * 4096) / 2 ** 20 };
  } catch {
    return undefined;
  }
}

/** The processes that a process has started. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
