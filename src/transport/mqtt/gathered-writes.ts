/** Of a socket: `cork` holds back what is written, `uncork` lets it go. */
interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * Has everything that is written in one turn of the event loop, acknowledgements as well, leave in one piece: a call of the
 * system for each small packet costs more than making it.
 */
export class GatheredWrites {
  #stream: Corkable | undefined;

  /** To be called before something is written. */
  gather(stream: Corkable): void {
    if (this.#stream === stream) return;
    this.#stream = stream;
    stream.cork();
    setImmediate(() => {
      if (this.#stream === stream) this.#stream = undefined;
      stream.uncork();
    });
  }
}
