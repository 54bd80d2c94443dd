import type { Metrics } from '../learning/index.js';

/** The means of metrics over updates that are made a few at a time. */
export class MeanMetrics {
  readonly #sums = new Map<string, number>();
  #updates = 0;

  /** Updates counted. */
  get updates(): number {
    return this.#updates;
  }

  /** Adds `metrics`, the means over so many `updates`. */
  add(metrics: Metrics, updates: number): void {
    this.#updates += updates;
    for (const [name, value] of Object.entries(metrics))
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value * updates);
  }

  get means(): Metrics {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.#updates]));
  }

  clear(): void {
    this.#sums.clear();
    this.#updates = 0;
  }

  /** As a checkpoint keeps it. */
  get state(): { readonly metricSums: Metrics; readonly updatesCounted: number } {
    return { metricSums: Object.fromEntries(this.#sums), updatesCounted: this.#updates };
  }

  restore({ metricSums, updatesCounted }: MeanMetrics['state']): void {
    this.#sums.clear();
    for (const [name, sum] of Object.entries(metricSums)) this.#sums.set(name, sum);
    this.#updates = updatesCounted;
  }
}
