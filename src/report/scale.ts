/** The ends of an axis that holds the values from `low` to `high`, and about five round ticks on it. */
export function axisTicks(low: number, high: number): { low: number; high: number; ticks: number[] } {
  const span = high > low ? high - low : 1;
  const raw = span / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= raw * 0.999) ?? 10);
  const margin = 0.02 * span;
  const ends = { low: low < 0 ? low - margin : low, high: low + span + margin };
  const first = Math.ceil(ends.low / step);
  const last = Math.floor(ends.high / step);
  return { ...ends, ticks: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step) };
}
