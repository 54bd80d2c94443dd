/** Of the most that may wait, what must be left before robots send again. */
const LOW = 0.5;
/** Of the most that may wait, what is taken of robots that send all the same, or had sent already. */
const FULL = 2;

export interface BacklogGateOptions {
  /** Transitions that were taken and not learned from. */
  readonly backlog: () => number;
  /** So many may wait. */
  readonly most: number;
  /** Robots are to keep what they have from now on, or to send it again. */
  readonly onChange: (isClosed: boolean) => void;
}

/**
 * Keeps a learner that is behind from filling its memory. When as much waits as may wait, robots are asked to keep what they
 * have, on their disks, until half of it is learned from. Where twice as much waits nothing is taken any more, whatever a
 * robot does; it sends again what was not taken.
 */
export class BacklogGate {
  readonly #options: BacklogGateOptions;
  #isClosed = false;

  constructor(options: BacklogGateOptions) {
    this.#options = options;
  }

  get backlog(): number {
    return this.#options.backlog();
  }

  get most(): number {
    return this.#options.most;
  }

  /** Whether robots are to keep what they have. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether nothing is taken. */
  get isFull(): boolean {
    return this.backlog >= FULL * this.most;
  }

  /** To be called when something was taken or learned from. */
  look(): void {
    const { backlog, most } = this;
    const closed = this.#isClosed ? backlog > LOW * most : backlog >= most;
    if (closed === this.#isClosed) return;
    this.#isClosed = closed;
    this.#options.onChange(closed);
  }
}
