import { IqLearnError } from '../common/index.js';
import type { ArrayRecord } from '../engine/index.js';

/** Metrics of an agent with the range that they keep to while it learns as it should: [low, high], by name. */
export type MetricLimits = Readonly<Record<string, readonly [number, number]>>;

/** Learning has gone back to an earlier state. */
export interface Rollback {
  /** The update after which it was found out, and the one whose parameters came back. */
  readonly at: number;
  readonly to: number;
  /** What was found, in words. */
  readonly reason: string;
  /** What the learning rates are multiplied by from now on. */
  readonly rates: number;
}

/** What a guard is made of, for checkpoints. */
export interface GuardState {
  readonly rollbacks: readonly Rollback[];
  /** The update of the good state, and the one after which the next is due. */
  readonly good: number;
  readonly due: number;
  readonly means: Readonly<Record<string, number>>;
}

/** Updates from one good state to the next. */
const GOOD_EVERY = 1000;
/** The share of a new value in the running means that are held against the limits: one bad batch is no divergence. */
const SHARE = 0.02;
/** A state is good where the means are within this part of their limits. */
const GOOD_PART = 0.5;
/** How often learning goes back before it gives up. */
const MOST_ROLLBACKS = 3;
const RATES_AFTER = 0.25;

/**
 * Watches the metrics of learning: numbers that are not finite, a critic beyond the bound that its rewards allow, a
 * policy whose actions all lie at their limits. Then the parameters go back to the last good state and the learning
 * rates are quartered, so that no policy that comes out of a divergence is ever published. What was experienced stays.
 */
export class DivergenceGuard {
  readonly #limits: MetricLimits;
  readonly #rollbacks: Rollback[] = [];
  #means = new Map<string, number>();
  #good: { readonly update: number; readonly state: ArrayRecord } | undefined;
  #due = 0;

  constructor(limits: MetricLimits = {}) {
    this.#limits = limits;
  }

  get rollbacks(): readonly Rollback[] {
    return this.#rollbacks;
  }

  /** What learning rates are multiplied by. */
  get rates(): number {
    return this.#rollbacks.at(-1)?.rates ?? 1;
  }

  /** Keeps the state where it is due and good. To be called before an update, with the number of updates made. */
  before(updates: number, state: () => ArrayRecord): void {
    if (updates < this.#due || this.#beyond(GOOD_PART) !== undefined) return;
    this.#good = { update: updates, state: state() };
    this.#due = updates + GOOD_EVERY;
  }

  /** Takes the metrics of an update; gives what is wrong with them, in words. */
  after(metrics: Readonly<Record<string, number>>): string | undefined {
    for (const [name, value] of Object.entries(metrics)) {
      if (!Number.isFinite(value)) return `train/${name} = ${value}`;
      if (this.#limits[name] === undefined) continue;
      const mean = this.#means.get(name);
      this.#means.set(name, mean === undefined ? value : mean + SHARE * (value - mean));
    }
    return this.#beyond(1);
  }

  /** The state to go on from after `updates` updates. Throws DIVERGED where going back has not helped. */
  back(updates: number, reason: string): ArrayRecord {
    const good = this.#good;
    if (good === undefined || this.#rollbacks.length >= MOST_ROLLBACKS)
      throw new IqLearnError('DIVERGED', 'learning diverged', {
        found: `${reason} after ${updates} updates${this.#rollbacks.length === 0 ? '' : `, ${this.#rollbacks.length} times before at lower rates`}`,
        expected: 'finite numbers within the bounds that the settings imply',
        remedy: 'go back to the last checkpoint; lower the learning rates or raise the temperature',
      });
    this.#rollbacks.push({ at: updates, to: good.update, reason, rates: this.rates * RATES_AFTER });
    this.#means = new Map();
    this.#due = updates + GOOD_EVERY;
    return good.state;
  }

  #beyond(part: number): string | undefined {
    for (const [name, mean] of this.#means) {
      const [low, high] = this.#limits[name]!;
      const [least, most] = [low * part, high * part];
      if (mean < least || mean > most)
        return `train/${name} = ${mean.toPrecision(3)} on average, beyond ${(mean < least ? low : high).toPrecision(3)}`;
    }
    return undefined;
  }

  /** As metadata and arrays; without arrays before the first update. */
  save(): { readonly meta: GuardState; readonly good: ArrayRecord } {
    return {
      meta: {
        rollbacks: [...this.#rollbacks],
        good: this.#good?.update ?? 0,
        due: this.#due,
        means: Object.fromEntries(this.#means),
      },
      good: this.#good?.state ?? {},
    };
  }

  /** The inverse of {@link save}. */
  restore({ rollbacks, good, due, means }: GuardState, state: ArrayRecord): void {
    this.#rollbacks.splice(0, this.#rollbacks.length, ...rollbacks);
    this.#means = new Map(Object.entries(means));
    this.#due = due;
    this.#good = Object.keys(state).length === 0 ? undefined : { update: good, state };
  }
}
