import { IqLearnError } from '../common/index.js';
import type { TimedMessage } from './timeline.js';

/** A clock that is off by more than this is not corrected: what else is wrong with it cannot be known. In nanoseconds. */
const CORRECTED_NS = 1e9;
/** Fewer stamps than this say nothing about a clock. */
const FEWEST = 5;

/** What is known about the topics whose clocks are compared. */
export interface ClockOptions {
  /** Half of this is the difference that does not matter, in nanoseconds. */
  readonly periodNs: number;
  /** State topics that publish again and again. */
  readonly steady: ReadonlySet<string>;
  /** Topics whose state is said once. */
  readonly saidOnce: ReadonlySet<string>;
  /** The topics of the actions. */
  readonly actions: readonly string[];
  /** Whose times count: the stamps of the messages, or when the recorder received them. */
  readonly clock: 'stamps' | 'log';
  /** Names the recording in errors. */
  readonly path: string;
}

/** What has a clock of its own: a topic, or those of its publishers that name the same joints. */
const sourceOf = ({ topic, part }: TimedMessage): string => `${topic}\n${part}`;
const distance = (a: TimedMessage, b: TimedMessage): number => Math.abs(Number(a.logNs - b.logNs));
const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1]!;
const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const seconds = (ns: number): string => `${Number((Math.abs(ns) / 1e9).toFixed(3))} s`;
const dated = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString();

/**
 * How a topic's stamps run against those of `reference`, in nanoseconds: stamp minus the stamp that the reference had at
 * the same log time. Each message is compared with the reference message that was logged nearest to it, so that neither
 * a recorder with a clock of its own nor a slow simulation matters. Repeated stamps count once.
 */
function differences(
  messages: readonly TimedMessage[],
  reference: string,
  compared: ReadonlySet<string>,
): Map<string, number[]> {
  const anchors = messages.flatMap((item, i) => (sourceOf(item) === reference && item.isStamped ? [i] : []));
  const found = new Map<string, number[]>();
  const newest = new Map<string, bigint>();
  let next = 0;
  messages.forEach((message, i) => {
    const { topic, stampNs, logNs, isStamped } = message;
    const source = sourceOf(message);
    if (!compared.has(topic) || !isStamped || newest.get(source) === stampNs) return;
    newest.set(source, stampNs);
    while (next < anchors.length && anchors[next]! < i) next++;
    const around = [anchors[next - 1], anchors[next]].flatMap((k) => (k === undefined ? [] : [messages[k]!]));
    const [near] = around.sort((a, b) => distance(a, message) - distance(b, message));
    if (near === undefined) return;
    const value = Number(stampNs - near.stampNs - (logNs - near.logNs));
    const list = found.get(source);
    if (list === undefined) found.set(source, [value]);
    else list.push(value);
  });
  return found;
}

/** How a topic's difference behaves: how far its median moves over the thirds of a recording, and from message to message. */
function behaviour(values: readonly number[]): { readonly drift: number; readonly scatter: number } {
  const third = Math.max(1, Math.floor(values.length / 3));
  const thirds = [0, 1, 2].map((k) => ascending(values.slice(k * third, (k + 1) * third))).filter((v) => v.length > 0);
  const medians = thirds.map(median);
  const steps = values.slice(1).map((value, i) => Math.abs(value - values[i]!));
  return { drift: Math.max(...medians) - Math.min(...medians), scatter: median(ascending(steps)) };
}

/** Whether log times pass as the stamps do: they may be missing, or those of a simulation that ran at another speed. */
function passAsStamps(messages: readonly TimedMessage[], reference: string): boolean {
  const anchors = messages.filter((item) => sourceOf(item) === reference && item.isStamped);
  const steps = anchors.slice(1).map((item, i) => [item.logNs - anchors[i]!.logNs, item.stampNs - anchors[i]!.stampNs]);
  const logged = median(ascending(steps.map(([log]) => Number(log))));
  const stamped = median(ascending(steps.map(([, stamp]) => Number(stamp))));
  return steps.length > 0 && logged > 0.5 * stamped && logged < 2 * stamped;
}

/** The steady state topic (or the publisher of it) with the most stamps. */
function referenceOf(messages: readonly TimedMessage[], steady: ReadonlySet<string>): string | undefined {
  const counts = new Map<string, number>();
  const newest = new Map<string, bigint>();
  for (const item of messages) {
    const source = sourceOf(item);
    // A driver that repeats its stamps is no measure for others.
    if (!item.isStamped || !steady.has(item.topic) || newest.get(source) === item.stampNs) continue;
    newest.set(source, item.stampNs);
    counts.set(source, (counts.get(source) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/**
 * The times of messages on one clock. Where a topic's clock differs from the others' by more than half a control period
 * and less than a second, its stamps are moved by the difference, which is said in `notes`. Messages without a stamp
 * count from their arrival, and so do those that are said once and whose stamp is of another clock. With clocks that
 * are further apart, or drift, it throws MISMATCH with both times and what to do.
 */
export function alignClocks(
  messages: readonly TimedMessage[],
  options: ClockOptions,
): { messages: readonly TimedMessage[]; notes: string[] } {
  const { periodNs, steady, saidOnce, actions, clock } = options;
  if (clock === 'log') return { messages: messages.map((item) => ({ ...item, stampNs: item.logNs })), notes: [] };
  const reference = referenceOf(messages, steady);
  if (reference === undefined) return { messages, notes: [] };
  const half = periodNs / 2;
  const found = differences(messages, reference, new Set([...steady, ...actions]));
  const offsets = new Map<string, number>();
  for (const [source, values] of found) if (values.length >= FEWEST) offsets.set(source, median(ascending(values)));
  const common = offsets.size > 2 ? median(ascending([...offsets.values()])) : 0;
  const areTimes = passAsStamps(messages, reference);
  const tolerance = Math.max(half, 2e7);
  const notes: string[] = [];
  const moved = new Map<string, bigint>();
  for (const [source, offset] of offsets) {
    const off = offset - common;
    if (Math.abs(off) <= (areTimes ? half : CORRECTED_NS)) continue;
    const { drift, scatter } = behaviour(found.get(source)!);
    const isDrifting = drift > tolerance && scatter <= tolerance;
    // Stamps that are cut to seconds, or a network that delivers in bursts: nothing can be said about the clock.
    if (Math.abs(off) <= CORRECTED_NS && scatter > tolerance) continue;
    const other = source === reference ? [...offsets.keys()].find((each) => offsets.get(each) === common)! : reference;
    if (Math.abs(off) > CORRECTED_NS || isDrifting) throw differing(messages, source, other, off, options);
    moved.set(source, BigInt(Math.round(off)));
    notes.push(
      `${nameOf(source, messages)}: its stamps are ${seconds(off)} ${off < 0 ? 'behind' : 'ahead of'} those of the other topics; ` +
        'they are moved by that, so that its messages count from when they arrived, as they do live',
    );
  }
  const aligned = messages.map((item) => {
    const by = item.isStamped ? moved.get(sourceOf(item)) : undefined;
    return by === undefined ? item : { ...item, stampNs: item.stampNs - by };
  });
  return { messages: arrivals(aligned, reference, saidOnce, half), notes };
}

/** Messages without a stamp, and those said once whose stamp is of another clock, get the time at which they arrived. */
function arrivals(
  messages: readonly TimedMessage[],
  reference: string,
  saidOnce: ReadonlySet<string>,
  toleranceNs: number,
): TimedMessage[] {
  const anchors = messages.filter((item) => sourceOf(item) === reference && item.isStamped);
  const behind = ascending(anchors.map(({ stampNs, logNs }) => Number(stampNs - logNs)));
  // The recorder's clock is the stamps' clock: the log time is the time of arrival.
  const isOneClock = Math.abs(median(behind)) <= Math.max(toleranceNs, 5e7);
  let next = 0;
  return messages.map((item) => {
    while (anchors[next] === item) next++;
    if (item.isStamped && !saidOnce.has(item.topic)) return item;
    const arrivalNs = isOneClock ? item.logNs : arrivalOf(item, anchors[next - 1], anchors[next]);
    const isOfThisClock = item.isStamped && Math.abs(Number(item.stampNs - arrivalNs)) <= CORRECTED_NS;
    return isOfThisClock || arrivalNs === item.stampNs ? item : { ...item, stampNs: arrivalNs };
  });
}

/** The stamps' time at which a message arrived, from the reference messages before and after it. */
function arrivalOf({ logNs }: TimedMessage, before: TimedMessage | undefined, after: TimedMessage | undefined): bigint {
  if (before === undefined) return after!.stampNs + (logNs - after!.logNs);
  if (after === undefined) return before.stampNs + (logNs - before.logNs);
  const logged = Number(after.logNs - before.logNs);
  const stamped = Number(after.stampNs - before.stampNs);
  // Across a jump of the clock, or without log times, it belongs to the message before.
  if (!(logged > 0) || stamped < 0) return before.stampNs;
  return before.stampNs + BigInt(Math.round((Number(logNs - before.logNs) / logged) * stamped));
}

/** A topic, with the joints of the publisher where several publish on it. */
function nameOf(source: string, messages: readonly TimedMessage[]): string {
  const own = messages.find((each) => sourceOf(each) === source)!;
  if (messages.every(({ topic, part }) => topic !== own.topic || part === own.part)) return own.topic;
  return `${own.topic} (${((own.message as { readonly name?: readonly string[] }).name ?? []).join(', ')})`;
}

function differing(
  messages: readonly TimedMessage[],
  source: string,
  other: string,
  offNs: number,
  { path }: ClockOptions,
): IqLearnError {
  // The clock may be right at first, and be set meanwhile: the message at which they are farthest apart is shown.
  const behind = ({ stampNs, logNs }: TimedMessage): number => Number(stampNs - logNs);
  const stamped = (wanted: string): TimedMessage[] =>
    messages.filter((each) => each.isStamped && sourceOf(each) === wanted);
  const others = stamped(other);
  const usual = behind(others[0]!);
  const farthest = (a: TimedMessage, b: TimedMessage): TimedMessage =>
    Math.abs(behind(b) - usual) > Math.abs(behind(a) - usual) + 1e6 ? b : a;
  const shown = stamped(source).reduce(farthest);
  const near = others.reduce((a, b) => (distance(b, shown) < distance(a, shown) ? b : a));
  const said = (message: TimedMessage): string =>
    `${nameOf(sourceOf(message), messages)} is stamped ${dated(message.stampNs)} when it is logged at ${dated(message.logNs)}`;
  const isDrift = Math.abs(offNs) <= CORRECTED_NS;
  return new IqLearnError('MISMATCH', `the topics of ${path} are stamped by different clocks`, {
    found: `${said(shown)}, ${said(near)}; ${isDrift ? 'they drift apart' : `they are ${seconds(offNs)} apart`}`,
    expected: 'stamps of one clock, within a second and without drift',
    remedy:
      'read it by log times (--clock log), or set the clocks (NTP, chrony; use_sim_time for all) and record again',
  });
}
