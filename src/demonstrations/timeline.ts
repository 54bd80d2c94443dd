import { type EpisodeEvent, episodeEvent } from '../messages/index.js';

/** A decoded message with its place in time. */
export interface TimedMessage {
  readonly topic: string;
  readonly message: unknown;
  /** CDR bytes, to tell a repetition from a contradiction. */
  readonly data: Uint8Array;
  /** The header's stamp; the log time where there is no header or its stamp is 0. */
  readonly stampNs: bigint;
  /** When the recorder received it. */
  readonly logNs: bigint;
  /** Whether its header has a stamp that is not 0. */
  readonly isStamped: boolean;
  /** Of a topic of joints: which of them it is about. Messages of other parts do not contradict it. */
  readonly part: string;
}

/** A stretch of a recording, in log order, within which the clock of the stamps does not jump. */
export interface Era {
  readonly messages: TimedMessage[];
  /** How it began: at the start of the recording, or after a jump of the clock (or an equally long silence). */
  readonly cause: 'start' | 'forward' | 'backward';
}

/** This many late messages in a row on one topic mean that the clock went back. */
const lateRun = 3;

/**
 * Cuts a recording where its clock jumps. The clock went back if a stamp is more than `jumpNs` behind its topic's newest
 * one, or three late ones follow each other; it went forward if a stamp is more than `jumpNs` ahead of all stamps of the
 * `steady` topics. Messages just before the one that shows the jump, if they have the new time already (usually a
 * marker), belong to the new stretch.
 */
export function splitEras(messages: readonly TimedMessage[], steady: ReadonlySet<string>, jumpNs: bigint): Era[] {
  const eras: Era[] = [];
  let from = 0;
  let cause: Era['cause'] = 'start';
  for (;;) {
    const jump = nextJump(messages, from, steady, jumpNs);
    if (from < messages.length) eras.push({ messages: messages.slice(from, jump?.at), cause });
    if (jump === undefined) return eras;
    from = jump.at;
    cause = jump.cause;
  }
}

/** The first jump after message `from`: the index of the first message with the new time. */
function nextJump(
  messages: readonly TimedMessage[],
  from: number,
  steady: ReadonlySet<string>,
  jumpNs: bigint,
): { at: number; cause: 'forward' | 'backward' } | undefined {
  const newest = new Map<string, { stampNs: bigint; late: number[] }>();
  const lateOnes = new Set<number>();
  let steadyNs: bigint | undefined;
  const backTo = (at: number, isNew: (i: number) => boolean): number => {
    let first = at;
    while (first - 1 > from && isNew(first - 1)) first--;
    return first;
  };
  for (let i = from; i < messages.length; i++) {
    const { topic, stampNs } = messages[i]!;
    const state = newest.get(topic);
    if (state !== undefined && stampNs < state.stampNs) {
      lateOnes.add(i);
      state.late.push(i);
      if (state.late.length === lateRun || stampNs < state.stampNs - jumpNs)
        return { at: backTo(state.late[0]!, (k) => lateOnes.has(k)), cause: 'backward' };
      continue;
    }
    if (steady.has(topic)) {
      const limit = steadyNs === undefined ? undefined : steadyNs + jumpNs;
      if (limit !== undefined && stampNs > limit)
        return { at: backTo(i, (k) => messages[k]!.stampNs > limit), cause: 'forward' };
      if (steadyNs === undefined || stampNs > steadyNs) steadyNs = stampNs;
    }
    newest.set(topic, { stampNs, late: [] });
  }
  return undefined;
}

/** The part of an episode that lies within one era. */
export interface EpisodePart {
  readonly number: number;
  readonly era: number;
  /** Null if it continues from an earlier era, or the recording has no markers. */
  readonly startNs: bigint | null;
  /** Null if the era or the recording ends before the episode does. */
  readonly endNs: bigint | null;
  readonly terminated: boolean;
  readonly success: boolean | null;
  readonly seed: bigint | null;
}

type Open = { -readonly [Key in keyof EpisodePart]: EpisodePart[Key] };

function fresh(number: number, era: number, startNs: bigint | null): Open {
  return { number, era, startNs, endNs: null, terminated: false, success: null, seed: null };
}

/** The episodes of a recording, according to its markers. */
export interface Episodes {
  readonly parts: EpisodePart[];
  /** Number of episodes that the operator discarded. */
  readonly discarded: number;
  /** Number of jumps of the clock within episodes. */
  readonly clockJumps: number;
}

/** The episodes of a recording by its markers. A recording without markers is one episode. */
export function findEpisodes(eras: readonly Era[], eventTopic: string): Episodes {
  const hasMarkers = eras.some(({ messages }) => messages.some(({ topic }) => topic === eventTopic));
  if (!hasMarkers)
    return { parts: eras.map((_, era) => fresh(0, era, null)), discarded: 0, clockJumps: Math.max(0, eras.length - 1) };
  const parts: EpisodePart[] = [];
  let discarded = 0;
  let clockJumps = 0;
  let open: Open[] = [];
  eras.forEach(({ messages }, era) => {
    if (open.length > 0) {
      open.push(fresh(open[0]!.number, era, null));
      clockJumps++;
    }
    for (const { topic, message, stampNs } of messages) {
      if (topic !== eventTopic) continue;
      const event = message as EpisodeEvent;
      if (event.kind === episodeEvent.START) {
        const last = open.at(-1);
        if (last !== undefined) last.endNs = stampNs - 1n;
        parts.push(...open);
        open = [{ ...fresh(event.episode, era, stampNs), seed: event.seed < 0n ? null : event.seed }];
      } else if (event.kind === episodeEvent.END) {
        const last = open.at(-1);
        if (last !== undefined) {
          last.endNs = stampNs;
          last.terminated = event.terminated;
          const success = event.success === episodeEvent.UNKNOWN ? null : event.success === episodeEvent.SUCCESS;
          for (const part of open) part.success = success;
        }
        parts.push(...open);
        open = [];
      } else if (event.kind === episodeEvent.DISCARD) {
        // Thrown away while it was open, or afterwards, before another one began.
        const closed = open.length > 0 ? [] : lastParts(parts, event.episode);
        if (open.length + closed.length > 0) discarded++;
        parts.length -= closed.length;
        open = [];
      }
    }
  });
  return { parts: [...parts, ...open], discarded, clockJumps };
}

/** The parts at the end of the list that are of the episode with this number. */
function lastParts(parts: readonly EpisodePart[], number: number): readonly EpisodePart[] {
  const first = parts.findLastIndex((part) => part.number !== number) + 1;
  return parts.slice(first);
}
