/** A first-in first-out queue of at most `depth` items that drops the oldest for a new one. */
export class KeepLast<Item> {
  readonly #depth: number;
  #items: Item[] = [];
  #head = 0;

  constructor(depth: number) {
    this.#depth = depth;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Returns true if the oldest item was dropped. */
  push(item: Item): boolean {
    this.#items.push(item);
    if (this.size <= this.#depth) return false;
    this.shift();
    return true;
  }

  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined as Item;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.slice(this.#head)[Symbol.iterator]();
  }
}
