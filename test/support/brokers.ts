import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Aedes } from 'aedes';
import { describe, it } from 'vitest';

/** A broker of a test, on this machine. */
export interface TestBroker {
  readonly url: string;
  readonly port: number;
  /** Ends the broker at once, with everything it had in memory. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Of a broker that is a process of its own. */
  readonly pid?: number | undefined;
}

/** Debian has it where not every shell looks. */
const mosquitto = existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto';

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** aedes, in this process. */
export async function startAedes(): Promise<TestBroker> {
  const port = await freePort();
  let aedes: Aedes | undefined;
  let server: Server | undefined;
  const broker: TestBroker = {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    async start() {
      aedes = await Aedes.createBroker();
      server = createServer({ noDelay: true }, aedes.handle);
      await new Promise<void>((resolve) => server!.listen(port, '127.0.0.1', resolve));
    },
    async stop() {
      await new Promise<void>((resolve) => aedes?.close(() => resolve()) ?? resolve());
      await new Promise<void>((resolve) => server?.close(() => resolve()) ?? resolve());
      aedes = undefined;
      server = undefined;
    },
  };
  await broker.start();
  return broker;
}

async function reachable(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A configuration of mosquitto and the port it listens on. */
interface Configured {
  readonly port: number;
  readonly text: string;
}

/** Debian's mosquitto; `configure` gives another configuration than a listener without access control, for a folder. */
export async function startMosquitto(configure?: (port: number, folder: string) => Configured): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  const free = await freePort();
  const { port, text } = configure?.(free, folder) ?? {
    port: free,
    text: `listener ${free} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\n`,
  };
  writeFileSync(file, text);
  // It gives up root's rights, if it has them.
  chmodSync(folder, 0o755);
  let child: ChildProcess | undefined;
  const broker: TestBroker = {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    get pid() {
      return child?.pid;
    },
    async start() {
      child = spawn(mosquitto, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr!.on('data', (text) => (said += text));
      for (let i = 0; !(await reachable(port)); i++) {
        if (i > 200 || child.exitCode !== null) throw new Error(`mosquitto does not start: ${said}`);
        await sleep(25);
      }
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child!.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
  process.once('exit', () => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await broker.start();
  return broker;
}

function hasMosquitto(): boolean {
  try {
    execFileSync(mosquitto, ['-h'], { stdio: 'ignore' });
  } catch (error) {
    // It exits with an error code after its help, too.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
  return true;
}

const remedy = 'no mosquitto; install it with: apt-get install mosquitto';

/** Tests that need mosquitto. Without it they are skipped with the reason; where CI is set, its absence fails once. */
export function describeWithMosquitto(name: string, tests: () => void): void {
  if (hasMosquitto()) describe(name, tests);
  else if (process.env.CI)
    it(`${name}: needs mosquitto`, () => {
      throw new Error(remedy);
    });
  else describe.skip(`${name} (${remedy})`, tests);
}

/** What a {@link Proxy} does to the bytes of both directions. */
export interface Trouble {
  /** Takes no bytes on, without closing: a half-open connection. */
  frozen: boolean;
  /** Refuses new connections. */
  closed: boolean;
  /** Milliseconds that bytes are held back. */
  delayMs: number;
  /** Takes no more than this from either side, which finds its socket full; 0 for no limit. */
  bytesPerSecond: number;
}

/** A TCP proxy before a broker that delays, freezes and cuts connections. */
export async function startProxy(target: number) {
  const trouble: Trouble = { frozen: false, closed: false, delayMs: 0, bytesPerSecond: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    if (trouble.closed) {
      from.destroy();
      return;
    }
    const to = createConnection(target, '127.0.0.1');
    const pass = (a: Socket, b: Socket): void => {
      sockets.add(a);
      a.on('data', (bytes) => {
        if (trouble.frozen) return;
        if (trouble.bytesPerSecond > 0) {
          a.pause();
          setTimeout(() => a.resume(), (1000 * bytes.length) / trouble.bytesPerSecond);
        }
        if (trouble.delayMs === 0) b.write(bytes);
        else setTimeout(() => b.writable && b.write(bytes), trouble.delayMs);
      });
      a.on('error', () => {}).on('close', () => {
        sockets.delete(a);
        b.destroy();
      });
    };
    pass(from, to);
    pass(to, from);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${port}`,
    trouble,
    /** Ends all connections. */
    cut,
    close: async (): Promise<void> => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
