import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IqLearnError, messageOf } from '../../common/index.js';

/** One message of the protocol: a JSON header and bytes. */
export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
}

interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: IqLearnError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Bytes of the child's last words on stderr that an error quotes. */
const LAST_WORDS = 2000;
/** A child that does not end by itself after `close` is killed after this time. */
const CLOSE_TIMEOUT_MS = 2000;

/** The Python to run: $PYTHON, else that of the active virtual environment, else python3 on the PATH. */
export function pythonCommand(environment: NodeJS.ProcessEnv = process.env): string {
  const { PYTHON, VIRTUAL_ENV } = environment;
  if (PYTHON !== undefined && PYTHON !== '') return PYTHON;
  if (VIRTUAL_ENV !== undefined && existsSync(join(VIRTUAL_ENV, 'bin/python'))) return join(VIRTUAL_ENV, 'bin/python');
  return 'python3';
}

/**
 * A Python script that answers requests over stdin and stdout, in order. When it dies or does not answer in time, every
 * pending and later request rejects with one error, and no process is left behind.
 */
export class PythonProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #what: string;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  readonly #killAtExit = (): void => void this.#child.kill('SIGKILL');
  #received: Buffer = Buffer.alloc(0);
  #stderr = '';
  #dead: IqLearnError | undefined;

  /** `what` names the child in error messages. */
  constructor(command: string, args: readonly string[], what: string) {
    this.#what = what;
    this.#child = spawn(command, [...args], { stdio: 'pipe' });
    this.#child.stdout.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#child.stderr.on('data', (bytes: Buffer) => {
      this.#stderr = (this.#stderr + bytes.toString()).slice(-LAST_WORDS);
    });
    // A child that is gone is reported by its exit.
    this.#child.stdin.on('error', () => undefined);
    process.once('exit', this.#killAtExit);
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (cause: NodeJS.ErrnoException) => {
        this.#fail(cause.code === 'ENOENT' ? noPython(command, cause) : this.#died(messageOf(cause)));
        resolve();
      });
      this.#child.once('close', (code, signal) => {
        this.#fail(this.#died(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`));
        resolve();
      });
    });
    void this.#exited.then(() => process.removeListener('exit', this.#killAtExit));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The next message of the child. Rejects with TIMEOUT, after which the child is killed, or with UNAVAILABLE. */
  receive(timeoutMs: number): Promise<Frame> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(
          new IqLearnError('TIMEOUT', `${this.#what} does not answer`, {
            found: `nothing for ${timeoutMs / 1000} s`,
            expected: 'an answer',
            remedy: 'check the environment outside of iq_learn, or allow more time',
          }),
        );
        this.#child.kill('SIGKILL');
      }, timeoutMs);
      this.#waiting.push({ resolve, reject, timer });
    });
  }

  /** Sends a message and gives the answer. */
  request(header: Frame['header'], timeoutMs: number, payload: Uint8Array = new Uint8Array(0)): Promise<Frame> {
    const answer = this.receive(timeoutMs);
    if (this.#dead === undefined) {
      const text = Buffer.from(JSON.stringify(header));
      const sizes = Buffer.alloc(8);
      sizes.writeUInt32LE(text.length, 0);
      sizes.writeUInt32LE(payload.length, 4);
      this.#child.stdin.write(Buffer.concat([sizes, text, payload]));
    }
    return answer;
  }

  /** Ends the child, by force if it does not end by itself. Never rejects. */
  async close(): Promise<void> {
    this.#fail(new IqLearnError('UNAVAILABLE', `${this.#what} is closed`));
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= 8) {
      const start = 8 + this.#received.readUInt32LE(0);
      const end = start + this.#received.readUInt32LE(4);
      if (this.#received.length < end) return;
      const header = JSON.parse(this.#received.subarray(8, start).toString()) as Frame['header'];
      // A copy of its own, so that its numbers are aligned.
      const payload = new Uint8Array(this.#received.subarray(start, end));
      this.#received = this.#received.subarray(end);
      const waiting = this.#waiting.shift();
      clearTimeout(waiting?.timer);
      waiting?.resolve({ header, payload });
    }
  }

  #died(why: string): IqLearnError {
    const words = this.#stderr.trim();
    return new IqLearnError('UNAVAILABLE', `${this.#what} died`, {
      found: words === '' ? why : `${why}; it said: ${words}`,
      expected: 'a process that answers until it is closed',
    });
  }

  #fail(error: IqLearnError): void {
    this.#dead ??= error;
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(this.#dead);
    }
  }
}

function noPython(command: string, cause: Error): IqLearnError {
  return new IqLearnError('UNAVAILABLE', 'Python cannot be run', {
    found: `no command ${command}`,
    expected: 'Python 3.10 or later with the package gymnasium',
    remedy: 'install Python, or name it: PYTHON=/path/to/python',
    cause,
  });
}
