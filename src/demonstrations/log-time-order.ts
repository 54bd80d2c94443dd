const windowNs = 2_000_000_000n;

/**
 * Puts messages in order of their log time, holding back those of the last two seconds: writers may interleave topics
 * out of order, but keep the order within each. If the log time of a topic goes back, the clock did: the held messages
 * are given first and ordering starts afresh, so that the jump stays visible.
 */
export class LogTimeOrder<Item extends { readonly topic: string; readonly logTimeNs: bigint }> {
  /** In order of log time; equal times in the order they came. */
  #held: Item[] = [];
  readonly #newest = new Map<string, bigint>();
  #newestNs: bigint | undefined;

  *push(item: Item): Generator<Item, void, void> {
    const time = item.logTimeNs;
    const before = this.#newest.get(item.topic);
    const tooOld = this.#newestNs !== undefined && time < this.#newestNs - windowNs;
    if (tooOld || (before !== undefined && time < before)) {
      yield* this.rest();
      this.#newest.clear();
      this.#newestNs = undefined;
    }
    this.#newest.set(item.topic, time);
    if (this.#newestNs === undefined || time > this.#newestNs) this.#newestNs = time;
    let at = this.#held.length;
    while (at > 0 && this.#held[at - 1]!.logTimeNs > time) at--;
    this.#held.splice(at, 0, item);
    // Many at once, so that the list is not shifted for every message.
    if (this.#held.length < 256 || this.#held[127]!.logTimeNs > this.#newestNs - windowNs) return;
    const keep = this.#held.findIndex(({ logTimeNs }) => logTimeNs > this.#newestNs! - windowNs);
    yield* this.#held.splice(0, keep);
  }

  *rest(): Generator<Item, void, void> {
    yield* this.#held.splice(0);
  }
}
