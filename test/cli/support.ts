import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '#src/cli/index.js';

export const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, as main.js does. */
export const cli = (...args: string[]): Promise<Ended> => commandLine(new AbortController().signal, 0, args);

/** Runs a command line that Ctrl-C interrupts once the signal is given. */
export const interruptedCli = (signal: AbortSignal, ...args: string[]): Promise<Ended> =>
  commandLine(signal, 130, args);

async function commandLine(signal: AbortSignal, interruptedCode: number, args: readonly string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const interrupt = {
    signal,
    get exitCode() {
      return signal.aborted ? interruptedCode : 0;
    },
    close: () => undefined,
    nothingToSave: () => undefined,
  };
  const code = await run(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    interrupt: interrupt as unknown as Parameters<typeof run>[1]['interrupt'],
  });
  return { code, stdout, stderr };
}

/** Starts the program itself; `seen` resolves once stderr holds a text. */
export function start(args: readonly string[], options: { readonly cwd: string; readonly node?: readonly string[] }) {
  const child: ChildProcess = spawn(process.execPath, [...(options.node ?? []), MAIN, ...args], { cwd: options.cwd });
  let stdout = '';
  let stderr = '';
  const listeners: (() => void)[] = [];
  child.stdout!.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr!.on('data', (data: Buffer) => {
    stderr += data.toString();
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended & { signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code: code ?? -1, signal, stdout, stderr }));
  });
  return {
    child,
    ended,
    seen: (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve();
        };
        listeners.push(look);
        look();
        void ended.then(() => reject(new Error(`ended without saying '${text}': ${stderr}`)));
      }),
  };
}

/** Small networks, short segments: what the robots' own settings are must not matter to these tests. */
const QUICK = `
segmentSize: 100
updatesPerTransition: 1
learner: { agent: iq-sac, hiddenSizes: [32, 32], batchSize: 32, warmStartUpdates: 0 }
cloning: { updates: 200 }
`;

/** A new folder, with quick settings in it, that is the present one until the returned function is called, which removes it. */
export function inNewFolder(): { readonly path: string; leave(): void } {
  const before = process.cwd();
  const path = mkdtempSync(join(tmpdir(), 'iq-cli-'));
  process.chdir(path);
  writeFileSync('quick.yaml', QUICK);
  return {
    path,
    leave: () => {
      process.chdir(before);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Every file and folder below. */
export function tree(path: string): string[] {
  return readdirSync(path, { recursive: true }).map(String).sort();
}
