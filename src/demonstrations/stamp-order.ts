import type { SampleReport } from './tick.js';
import type { TimedMessage } from './timeline.js';

/**
 * Messages in order of their stamps; equal stamps keep their order. A repetition of a message is left out. Of messages
 * that contradict each other (one topic, one stamp, other bytes) one place is kept, with `message` null; of topics of
 * which the newest counts, that is kept instead.
 */
export function inStampOrder(
  messages: readonly TimedMessage[],
  report: SampleReport,
  newestCounts: (topic: string) => boolean = () => false,
): TimedMessage[] {
  const sorted = messages
    .map((item, i) => ({ item, i }))
    .sort((a, b) => (a.item.stampNs === b.item.stampNs ? a.i - b.i : a.item.stampNs < b.item.stampNs ? -1 : 1))
    .map(({ item }) => item);
  const out: TimedMessage[] = [];
  const last = new Map<string, number>();
  for (const item of sorted) {
    const key = `${item.topic}\n${item.part}`;
    const at = last.get(key);
    const before = at === undefined ? undefined : out[at]!;
    if (before === undefined || before.stampNs !== item.stampNs) {
      last.set(key, out.push(item) - 1);
    } else if (before.message !== null && Buffer.compare(before.data, item.data) === 0) report.duplicates++;
    else if (newestCounts(item.topic) || !item.isStamped) out[at!] = item;
    else {
      report.contradictions++;
      out[at!] = { ...before, message: null };
    }
  }
  return out;
}

/**
 * Age, in nanoseconds, at which a topic's newest message counts as overdue: the next one must have been lost. For a
 * regular topic (90 % of the intervals are a multiple of the median, within 20 %) this is 0.95 × the median interval,
 * at least 0.95 × `periodNs`; for every other topic, and at most, it is its timeout.
 */
export function overdueNs(stamps: readonly bigint[], periodNs: number, timeoutNs: number): number {
  const gaps = stamps.slice(1).map((stamp, i) => Number(stamp - stamps[i]!));
  if (gaps.length === 0) return timeoutNs;
  const median = [...gaps].sort((a, b) => a - b)[gaps.length >> 1]!;
  const unit = Math.max(median, periodNs);
  const regular = gaps.filter((gap) => Math.abs(gap - Math.max(1, Math.round(gap / median)) * median) <= 0.2 * unit);
  return regular.length >= 0.9 * gaps.length ? Math.min(0.95 * unit, timeoutNs) : timeoutNs;
}
