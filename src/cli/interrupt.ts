import { IqLearnError } from '../common/index.js';
import { exitCode } from './exit.js';

const EXIT_CODES = { SIGINT: exitCode.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * A second signal that comes sooner, in milliseconds, is the first one again: npm and other launchers pass Ctrl-C on to a
 * process that has it from the terminal already, and nobody presses it twice as fast as that on purpose.
 */
const SAME_SIGNAL_MS = 300;

/**
 * Turns Ctrl-C (SIGINT), SIGTERM and SIGHUP (the terminal was closed) into an abort signal. The first one aborts: the
 * command saves what it has and ends. The second one ends the process at once, as the first does while the program is
 * being loaded, and for a command that only reads.
 */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #say: (text: string) => void;
  readonly #nowMs: () => number;
  readonly #handler = (name: NodeJS.Signals): void => this.#heard(name as keyof typeof EXIT_CODES);
  #exitCode: number = exitCode.ok;
  #endsAtOnce = true;
  #heardMs = Number.NEGATIVE_INFINITY;

  /** `nowMs` is a steady clock. */
  constructor(say: (text: string) => void, nowMs: () => number = () => performance.now()) {
    this.#say = say;
    this.#nowMs = nowMs;
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.#handler);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Exit code of the process: 0, or the code for the signal that interrupted it. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** The program is loaded and a command begins: from now on there may be something to save. */
  begin(): void {
    this.#endsAtOnce = false;
  }

  /** The command only reads: the first signal ends the process at once. */
  nothingToSave(): void {
    this.#endsAtOnce = true;
  }

  close(): void {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, this.#handler);
  }

  #heard(name: keyof typeof EXIT_CODES): void {
    if (this.#endsAtOnce) process.exit(EXIT_CODES[name]);
    const nowMs = this.#nowMs();
    if (this.signal.aborted && nowMs - this.#heardMs < SAME_SIGNAL_MS) return;
    if (this.signal.aborted) process.exit(EXIT_CODES[name]);
    this.#heardMs = nowMs;
    this.#exitCode = EXIT_CODES[name];
    // Nobody reads what is written to a terminal that is gone, and failing to write must not end the saving.
    if (name === 'SIGHUP') for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
    this.#say('stopping: what can be saved is being saved; Ctrl-C again to stop at once');
    this.#controller.abort(new IqLearnError('CANCELLED', 'interrupted'));
  }
}
