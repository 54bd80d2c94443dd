import type { MetricValues } from './sink.js';

/** Means of metrics over the updates between two rows. */
export class MetricMeans {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  add(values: MetricValues): void {
    for (const [name, value] of Object.entries(values)) {
      const { sum, count } = this.#sums.get(name) ?? { sum: 0, count: 0 };
      this.#sums.set(name, { sum: sum + value, count: count + 1 });
    }
  }

  /** The means since the last call; empty where nothing was added. */
  take(): MetricValues {
    const means = Object.fromEntries([...this.#sums].map(([name, { sum, count }]) => [name, sum / count]));
    this.#sums.clear();
    return means;
  }
}
