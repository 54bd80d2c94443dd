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
  /** How it began: at the start of the recording, after a jump of the clock (or an equally long silence), or behind damage. */
  readonly cause: 'start' | 'forward' | 'backward' | 'damage';
  /** Behind damage: the topics that lost messages there; null where that cannot be known. */
  readonly lostTopics?: ReadonlySet<string> | null;
}

/** A place before the message `at` where messages were lost. */
export interface LossBefore {
  readonly at: number;
  readonly topics: ReadonlySet<string> | null;
}

/** This many late messages in a row on one topic mean that the clock went back. */
const lateRun = 3;

/**
 * Cuts a recording where its clock jumps. The clock went back if a stamp is more than `jumpNs` behind its topic's newest
 * one, or three late ones follow each other; it went forward if a stamp is more than `jumpNs` ahead of all stamps of the
 * `steady` topics. Messages just before the one that shows the jump, if they have the new time already (usually a
 * marker), belong to the new stretch. It is also cut at each of the `losses`, which are in order.
 */
export function splitEras(
  messages: readonly TimedMessage[],
  steady: ReadonlySet<string>,
  jumpNs: bigint,
  losses: readonly LossBefore[] = [],
): Era[] {
  const eras: Era[] = [];
  const bounds = [...losses, { at: messages.length, topics: null }];
  bounds.forEach((bound, i) => {
    const before = losses[i - 1];
    const between = splitJumps(messages.slice(before?.at ?? 0, bound.at), steady, jumpNs);
    if (before === undefined) eras.push(...between);
    // A place at which nothing follows is a place all the same: what it took away may have been the end of an episode.
    else eras.push({ messages: [], ...between[0], cause: 'damage', lostTopics: before.topics }, ...between.slice(1));
  });
  return eras;
}

function splitJumps(messages: readonly TimedMessage[], steady: ReadonlySet<string>, jumpNs: bigint): Era[] {
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
