/** How far back a late message is still told from a duplicate. */
const WINDOW = 4096n;

/**
 * Sequence numbers of one sender: tells new ones from duplicates and counts what is missing, whatever the order they
 * come in. A number that is late is new once; one older than the window counts as a duplicate.
 */
export class SequenceTracker {
  readonly #missing = new Set<bigint>();
  #next = 0n;
  #lost = 0n;
  #duplicates = 0n;

  /** The first number expected: what comes before it is not missed. */
  constructor(first = 0n) {
    this.#next = first;
  }

  /** Numbers that have not come. */
  get missing(): bigint {
    return this.#lost + BigInt(this.#missing.size);
  }

  get duplicates(): bigint {
    return this.#duplicates;
  }

  /** True where this number has not been seen before. */
  accept(sequence: bigint): boolean {
    if (sequence < this.#next) {
      if (this.#missing.delete(sequence)) return true;
      this.#duplicates++;
      return false;
    }
    const from = sequence - this.#next > WINDOW ? sequence - WINDOW : this.#next;
    this.#lost += from - this.#next;
    for (let n = from; n < sequence; n++) this.#missing.add(n);
    this.#next = sequence + 1n;
    if (this.#missing.size > WINDOW)
      for (const n of this.#missing) {
        if (n >= this.#next - WINDOW) break;
        this.#missing.delete(n);
        this.#lost++;
      }
    return true;
  }
}
