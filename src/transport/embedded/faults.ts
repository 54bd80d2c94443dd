import { IqLearnError, type Random } from '../../common/index.js';

/**
 * Fault injection ships with the package: whoever writes a node or describes a robot can run it on the embedded broker
 * over links as bad as a real network's, with faults that a seed repeats.
 */

/** The faults on the links of some topics. Probabilities are per message, 0 if not given. */
export interface FaultRule {
  /** A topic, or a pattern with * for any characters. Of several rules that fit a topic the first one holds. */
  readonly topics: string;
  readonly drop?: number;
  readonly duplicate?: number;
  /** The message, and those after it, arrive late by minMs to maxMs milliseconds, in their order. */
  readonly delay?: { readonly probability: number; readonly minMs: number; readonly maxMs: number };
  /** The next message overtakes this one, which arrives `REORDER_MS` late where no other follows. */
  readonly reorder?: number;
}

export interface FaultPlan {
  readonly rules: readonly FaultRule[];
}

export interface FaultCounters {
  dropped: number;
  duplicated: number;
  delayed: number;
  reordered: number;
}

/** The longest that a message which is to be overtaken waits for the next one, in milliseconds. */
const REORDER_MS = 100;

/** Whether a name fits a pattern in which * stands for any characters. */
export function fits(pattern: string, name: string): boolean {
  const text = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${text.join('.*')}$`).test(name);
}

/** Throws INVALID_ARGUMENT unless all probabilities are in 0…1 and all delays are finite and not negative. */
export function checkFaultPlan(plan: FaultPlan): void {
  for (const { topics, drop = 0, duplicate = 0, delay, reorder = 0 } of plan.rules) {
    for (const [name, value] of Object.entries({ drop, duplicate, reorder, delay: delay?.probability ?? 0 }))
      if (!(value >= 0 && value <= 1))
        throw new IqLearnError('INVALID_ARGUMENT', `the fault plan for ${topics} is wrong`, {
          found: `${name} ${value}`,
          expected: 'a probability in 0…1',
        });
    if (delay !== undefined && !(delay.minMs >= 0 && delay.maxMs >= delay.minMs && Number.isFinite(delay.maxMs)))
      throw new IqLearnError('INVALID_ARGUMENT', `the fault plan for ${topics} is wrong`, {
        found: `delay of ${delay.minMs}…${delay.maxMs} ms`,
        expected: '0 ≤ minMs ≤ maxMs',
      });
  }
}

/**
 * A link from one publisher to one subscriber that loses, doubles, delays and reorders messages. What happens to the
 * n-th message depends only on the seed, the link and n.
 */
export class FaultyLink<Item> {
  readonly #rule: FaultRule;
  readonly #random: Random;
  readonly #deliver: (item: Item) => void;
  readonly #counters: FaultCounters;
  #held: { readonly item: Item; readonly timer: NodeJS.Timeout } | null = null;
  #late: Item[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(rule: FaultRule, random: Random, counters: FaultCounters, deliver: (item: Item) => void) {
    this.#rule = rule;
    this.#random = random;
    this.#counters = counters;
    this.#deliver = deliver;
  }

  send(item: Item): void {
    const { drop = 0, duplicate = 0, delay, reorder = 0 } = this.#rule;
    // Five draws for every message, so that changing one probability does not change which messages the others hit.
    const random = this.#random;
    const isDropped = random.uniform() < drop;
    const isDuplicated = random.uniform() < duplicate;
    const isReordered = random.uniform() < reorder;
    const isDelayed = random.uniform() < (delay?.probability ?? 0);
    const share = random.uniform();
    if (isDropped) {
      this.#counters.dropped += 1;
      return;
    }
    if (isReordered && this.#held === null) {
      this.#counters.reordered += 1;
      this.#held = { item, timer: setTimeout(() => this.#release(), REORDER_MS) };
      return;
    }
    if (isDelayed && delay !== undefined && this.#timer === null) {
      this.#counters.delayed += 1;
      this.#timer = setTimeout(() => this.#catchUp(), delay.minMs + share * (delay.maxMs - delay.minMs));
    }
    if (isDuplicated) {
      this.#counters.duplicated += 1;
      this.#pass(item);
    }
    this.#pass(item);
    this.#release();
  }

  /** Drops the messages that were held back. */
  close(): void {
    if (this.#held !== null) clearTimeout(this.#held.timer);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#held = null;
    this.#timer = null;
    this.#late = [];
  }

  #pass(item: Item): void {
    if (this.#timer === null) this.#deliver(item);
    else this.#late.push(item);
  }

  #release(): void {
    if (this.#held === null) return;
    const { item, timer } = this.#held;
    clearTimeout(timer);
    this.#held = null;
    this.#pass(item);
  }

  #catchUp(): void {
    this.#timer = null;
    for (const item of this.#late.splice(0)) this.#deliver(item);
  }
}
