/** Does one piece of work after the other, in the order in which they were asked for, whether or not one of them fails. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  /** Does `work` after everything before it; settles as it does. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when everything that was asked for has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }
}
