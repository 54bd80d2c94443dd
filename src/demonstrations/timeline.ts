import { type EpisodeEvent, episodeEvent } from '../messages/index.js';

/** A decoded message with its place in time. */
export interface TimedMessage {
  readonly topic: string;
  readonly message: unknown;
  /** CDR bytes, to tell a repetition from a contradiction. */
  readonly data: Uint8Array;
  /** The header's stamp; the log time where there is no header or its stamp is 0. */
  readonly stampNs: bigint;
}

/** A stretch of a recording, in log order, over which the clock of the stamps goes on. */
export interface Era {
  readonly messages: TimedMessage[];
  /** How it began: at the start of the recording, or after a jump of the clock (or a silence as long). */
  readonly cause: 'start' | 'forward' | 'backward';
}

/** Late messages in a row on one topic that are taken for a clock that went back. */
const lateRun = 3;

/**
 * Cuts a recording where its clock jumps: a stamp more than `jumpNs` behind its topic's newest (or three late ones in
 * a row), or more than `jumpNs` ahead of everything the `steady` topics said.
 */
export function splitEras(messages: readonly TimedMessage[], steady: ReadonlySet<string>, jumpNs: bigint): Era[] {
  const eras: Era[] = [];
  let from = 0;
  let cause: Era['cause'] = 'start';
  let newest = new Map<string, { stampNs: bigint; late: number; firstLate: number }>();
  let steadyNs: bigint | undefined;
  const cut = (at: number, why: Era['cause']): void => {
    if (at > from) eras.push({ messages: messages.slice(from, at), cause });
    from = at;
    cause = why;
    newest = new Map();
    steadyNs = undefined;
  };
  for (let i = 0; i < messages.length; i++) {
    const { topic, stampNs } = messages[i]!;
    const state = newest.get(topic);
    if (state !== undefined && stampNs < state.stampNs) {
      if (state.late++ === 0) state.firstLate = i;
      if (stampNs < state.stampNs - jumpNs) cut(i, 'backward');
      else if (state.late === lateRun) {
        const first = state.firstLate;
        cut(first, 'backward');
        i = first; // look again at what lies between with a fresh mind
        newest.set(topic, { stampNs: messages[first]!.stampNs, late: 0, firstLate: 0 });
        if (steady.has(topic)) steadyNs = messages[first]!.stampNs;
        continue;
      } else continue;
    }
    if (steady.has(topic)) {
      if (steadyNs !== undefined && stampNs > steadyNs + jumpNs) cut(i, 'forward');
      if (steadyNs === undefined || stampNs > steadyNs) steadyNs = stampNs;
    }
    const known = newest.get(topic);
    if (known === undefined || stampNs >= known.stampNs) newest.set(topic, { stampNs, late: 0, firstLate: 0 });
  }
  if (messages.length > from) eras.push({ messages: messages.slice(from), cause });
  return eras;
}

/** A part of an episode within one era. */
export interface EpisodePart {
  readonly number: number;
  readonly era: number;
  /** Null where it goes on from an earlier era, or the recording has no markers. */
  readonly startNs: bigint | null;
  /** Null where the era (or the recording) ends before the episode. */
  readonly endNs: bigint | null;
  readonly terminated: boolean;
  readonly success: boolean | null;
  readonly seed: bigint | null;
}

type Open = { -readonly [Key in keyof EpisodePart]: EpisodePart[Key] };

function fresh(number: number, era: number, startNs: bigint | null): Open {
  return { number, era, startNs, endNs: null, terminated: false, success: null, seed: null };
}

/** The episodes of a recording by its markers; without any, the whole recording is one. */
export function findEpisodes(eras: readonly Era[], eventTopic: string): { parts: EpisodePart[]; discarded: number } {
  const hasMarkers = eras.some(({ messages }) => messages.some(({ topic }) => topic === eventTopic));
  if (!hasMarkers) return { parts: eras.map((_, era) => fresh(0, era, null)), discarded: 0 };
  const parts: EpisodePart[] = [];
  let discarded = 0;
  let open: Open[] = [];
  eras.forEach(({ messages }, era) => {
    if (open.length > 0 && open.at(-1)!.era !== era)
      open.push({ ...fresh(open[0]!.number, era, null), seed: open[0]!.seed });
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
        if (open.length > 0) discarded++;
        open = [];
      }
    }
  });
  return { parts: [...parts, ...open], discarded };
}
