import type { TimedMessage } from './timeline.js';

/** Where more of a topic's messages than this share are logged before the one in front of them, the file has no order. */
const UNORDERED = 0.1;

/** How many messages are logged before the one of their topic that stands in front of them. */
function backwardSteps(messages: readonly TimedMessage[]): number {
  const last = new Map<string, bigint>();
  let steps = 0;
  for (const { topic, logNs } of messages) {
    if (logNs < (last.get(topic) ?? logNs)) steps++;
    last.set(topic, logNs);
  }
  return steps;
}

/**
 * Messages in order of their log times, where the file has them in no order at all: converters and merged databases write
 * them as they find them. A log time that goes back once is a clock that was set, and stays as it is.
 */
export function inFileOrder(messages: readonly TimedMessage[]): { messages: readonly TimedMessage[]; notes: string[] } {
  const steps = backwardSteps(messages);
  if (steps <= UNORDERED * messages.length) return { messages, notes: [] };
  const sorted = messages.toSorted((a, b) => (a.logNs < b.logNs ? -1 : a.logNs > b.logNs ? 1 : 0));
  return { messages: sorted, notes: ['its messages are not in order of their log times; they are read in that order'] };
}
