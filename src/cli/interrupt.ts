import { IqLearnError } from '../common/index.js';
import { exitCode } from './exit.js';

const EXIT_CODES = { SIGINT: exitCode.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Turns Ctrl-C (SIGINT), SIGTERM and SIGHUP (the terminal was closed) into an abort signal. The first one aborts: the
 * command saves what it has and ends. The second one ends the process at once, as the first does for a command that only
 * reads.
 */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #say: (text: string) => void;
  readonly #handler = (name: NodeJS.Signals): void => this.#heard(name as keyof typeof EXIT_CODES);
  #exitCode: number = exitCode.ok;
  #endsAtOnce = false;

  constructor(say: (text: string) => void) {
    this.#say = say;
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.#handler);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Exit code of the process: 0, or the code for the signal that interrupted it. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** The command only reads: the first signal ends the process at once. */
  nothingToSave(): void {
    this.#endsAtOnce = true;
  }

  close(): void {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, this.#handler);
  }

  #heard(name: keyof typeof EXIT_CODES): void {
    if (this.signal.aborted || this.#endsAtOnce) process.exit(EXIT_CODES[name]);
    this.#exitCode = EXIT_CODES[name];
    // Nobody reads what is written to a terminal that is gone, and failing to write must not end the saving.
    if (name === 'SIGHUP') for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
    this.#say('stopping: what can be saved is being saved; Ctrl-C again to stop at once');
    this.#controller.abort(new IqLearnError('CANCELLED', 'interrupted'));
  }
}
