import { clamp } from './mathematics.js';

/**
 * The range of each dimension of an action. Policies and learning use actions in −1…1, robots and environments use
 * units; this maps one to the other: −1 ↦ low, 1 ↦ high.
 */
export class ActionRange {
  readonly low: Float64Array;
  readonly high: Float64Array;

  /** Bounds are finite, low below high; both have one number per dimension. */
  constructor(low: ArrayLike<number>, high: ArrayLike<number>) {
    this.low = Float64Array.from(low);
    this.high = Float64Array.from(high);
  }

  /** The range of an action whose features carry their limits. */
  static of(features: readonly { readonly low: number | null; readonly high: number | null }[]): ActionRange {
    return new ActionRange(
      features.map(({ low }) => low ?? Number.NEGATIVE_INFINITY),
      features.map(({ high }) => high ?? Number.POSITIVE_INFINITY),
    );
  }

  /** Number of dimensions. */
  get size(): number {
    return this.low.length;
  }

  /** Middle of each dimension's range, in units. */
  get middle(): Float64Array {
    return this.low.map((low, i) => (low + this.high[i]!) / 2);
  }

  /** Half the width of each dimension's range, in units. */
  get half(): Float64Array {
    return this.low.map((low, i) => (this.high[i]! - low) / 2);
  }

  /** An action in units from one in −1…1, to which it is clamped first. */
  toUnits(normalised: ArrayLike<number>): Float64Array {
    return this.low.map((low, i) => low + 0.5 * (clamp(normalised[i]!, -1, 1) + 1) * (this.high[i]! - low));
  }

  /**
   * Actions in −1…1 from actions in units: one action, or several one after the other. What lies beyond the limits is
   * mapped beyond ±1.
   */
  normalise(actions: ArrayLike<number>): Float32Array {
    const { low, high, size } = this;
    const normalised = new Float32Array(actions.length);
    for (let i = 0, k = 0; i < normalised.length; i++, k = k + 1 === size ? 0 : k + 1)
      normalised[i] = (2 * (actions[i]! - low[k]!)) / (high[k]! - low[k]!) - 1;
    return normalised;
  }
}
