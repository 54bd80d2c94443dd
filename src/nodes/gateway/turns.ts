/** Lets several workers do one piece of work after the other: those of one object never overlap. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work` when everything that was asked for before is done. Rejects as `work` does. */
  take(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
