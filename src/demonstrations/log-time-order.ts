const windowNs = 2_000_000_000n;

/**
 * Puts items that are nearly in order of their log time in order, holding back those of the last two seconds. An item
 * that is older than that begins anew: what was held goes first.
 */
export class LogTimeOrder<Item extends { readonly logTimeNs: bigint }> {
  /** In order of log time; equal times in the order they came. */
  #held: Item[] = [];
  #newestNs: bigint | undefined;

  *push(item: Item): Generator<Item, void, void> {
    const time = item.logTimeNs;
    if (this.#newestNs !== undefined && time < this.#newestNs - windowNs) {
      yield* this.rest();
      this.#newestNs = undefined;
    }
    if (this.#newestNs === undefined || time > this.#newestNs) this.#newestNs = time;
    let at = this.#held.length;
    while (at > 0 && this.#held[at - 1]!.logTimeNs > time) at--;
    this.#held.splice(at, 0, item);
    if (this.#held.length < 256 || this.#held[127]!.logTimeNs > this.#newestNs - windowNs) return;
    const keep = this.#held.findIndex(({ logTimeNs }) => logTimeNs > this.#newestNs! - windowNs);
    yield* this.#held.splice(0, keep === -1 ? this.#held.length : keep);
  }

  *rest(): Generator<Item, void, void> {
    yield* this.#held.splice(0);
  }
}
