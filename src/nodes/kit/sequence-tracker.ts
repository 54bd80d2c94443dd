/** Number of sequence numbers back to which a late message can be distinguished from a duplicate. */
const WINDOW = 4096n;

/**
 * Tracks the sequence numbers of one sender: distinguishes new ones from duplicates and counts the missing ones, in
 * whatever order they come. A late number is new once; one older than the window counts as a duplicate.
 */
export class SequenceTracker {
  readonly #missing = new Set<bigint>();
  #next = 0n;
  #lost = 0n;
  #duplicates = 0n;

  /** `first` is the first number expected; earlier ones do not count as missing. */
  constructor(first = 0n) {
    this.#next = first;
  }

  /** How many numbers have not come. */
  get missing(): bigint {
    return this.#lost + BigInt(this.#missing.size);
  }

  get duplicates(): bigint {
    return this.#duplicates;
  }

  /** True where `count` numbers from `first` on are all new and none is left out before them; otherwise nothing is taken. */
  acceptRun(first: bigint, count: number): boolean {
    if (first !== this.#next) return false;
    this.#next += BigInt(count);
    return true;
  }

  /** True if this number has not been seen before. */
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
