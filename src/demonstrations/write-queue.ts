import type { IqLearnError } from '../common/index.js';
import type { McapOutput, RawMessage } from './mcap-output.js';
import type { RecordingFile } from './recording-file.js';

export interface PendingMessage extends RawMessage {
  /** Whether everything up to this message must be on the disk once it is written. */
  readonly flush: boolean;
  /** Whether a chunk ends with it. */
  readonly endsChunk: boolean;
}

export interface QueueOptions {
  /** More bytes waiting than this is a failure: the disk is too slow. */
  readonly maxPendingBytes: number;
  /** Makes the error that describes a failure. */
  readonly failure: (what: 'writing' | 'too slow', cause: unknown) => IqLearnError;
  readonly onError: (error: IqLearnError) => void;
}

/**
 * Writes messages to one file, one after the other (MCAP's writer is not re-entrant). The first failure ends it: waiting
 * messages are dropped and counted, `onError` is called once, and `goodBytes` is where the last whole chunk ends.
 */
export class WriteQueue {
  readonly #file: RecordingFile;
  readonly #output: McapOutput;
  readonly #options: QueueOptions;
  readonly #waiting: PendingMessage[] = [];
  #waitingBytes = 0;
  #draining: Promise<void> = Promise.resolve();
  #active = false;
  error: IqLearnError | null = null;
  goodBytes: bigint;
  written = 0;
  lost = 0;

  constructor(file: RecordingFile, output: McapOutput, options: QueueOptions) {
    this.#file = file;
    this.#output = output;
    this.#options = options;
    this.goodBytes = file.position();
  }

  push(message: PendingMessage): void {
    this.#waiting.push(message);
    this.#waitingBytes += message.data.length;
    if (this.#waitingBytes > this.#options.maxPendingBytes)
      this.fail(this.#options.failure('too slow', `${this.#waitingBytes} bytes waiting`));
    else if (!this.#active) this.#draining = this.#drain();
  }

  /** Resolves when everything pushed so far has been written or dropped. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  fail(error: IqLearnError): void {
    if (this.error !== null) return;
    this.error = error;
    this.lost += this.#waiting.length;
    this.#waiting.length = 0;
    this.#options.onError(error);
  }

  async #drain(): Promise<void> {
    this.#active = true;
    await null; // Messages pushed in the same turn of the event loop are written together.
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        const before = this.#file.position();
        await this.#output.add(next, next.flush, next.endsChunk);
        if (this.#file.position() !== before) this.goodBytes = this.#file.position();
        this.#waitingBytes -= next.data.length;
        this.written++;
      } catch (cause) {
        this.lost++;
        this.fail(this.#options.failure('writing', cause));
      }
    }
    this.#active = false;
  }
}
