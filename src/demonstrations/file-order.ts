import type { TimedMessage } from './timeline.js';

/** Where more of a topic's messages than this share are logged before the one in front of them, the file has no order. */
const UNORDERED = 0.1;

/** How many messages have an earlier time than the one of their topic that stands in front of them. */
function backwardSteps(messages: readonly TimedMessage[], timeOf: (item: TimedMessage) => bigint): number {
  const last = new Map<string, bigint>();
  let steps = 0;
  for (const item of messages) {
    const time = timeOf(item);
    if (time < (last.get(item.topic) ?? time)) steps++;
    last.set(item.topic, time);
  }
  return steps;
}

/**
 * Messages in order of their log times, where the file has them in no order at all: converters and merged databases write
 * them as they find them. A log time that goes back once is a clock that was set, and stays as it is.
 */
export function inFileOrder(messages: readonly TimedMessage[]): { messages: readonly TimedMessage[]; notes: string[] } {
  const steps = backwardSteps(messages, ({ logNs }) => logNs);
  if (steps <= UNORDERED * messages.length) return { messages, notes: [] };
  const stampSteps = (list: readonly TimedMessage[]): number => backwardSteps(list, ({ stampNs }) => stampNs);
  const sorted = messages.toSorted((a, b) => (a.logNs < b.logNs ? -1 : a.logNs > b.logNs ? 1 : 0));
  // Where the stamps follow the file, it is the recorder's clock that ran wrong.
  if (stampSteps(sorted) > stampSteps(messages))
    return {
      messages,
      notes: ['its log times go back again and again; it is read in the order of the file and its stamps'],
    };
  return { messages: sorted, notes: ['its messages are not in order of their log times; they are read in that order'] };
}
