import type { BlockArray, PerBlock } from '../common/index.js';

/** Why the tick of an episode cannot be used. */
export type TickProblem =
  /** A topic that publishes regularly lacks the message due at this tick, or its newest one is older than its timeout. */
  | 'state missing'
  /** The newest message of a topic is not finite, lacks joints, or is given in the wrong frame. */
  | 'state refused'
  | 'command missing'
  | 'command refused';

/** What a tick lacks, with the sentence that a live robot would say. */
export interface TickLoss {
  readonly problem: TickProblem;
  /** Topic, field, found and expected, as one sentence. */
  readonly reason: string;
}

/** One instant of the control rate. `loss` says why observation or action are missing. */
export interface Tick {
  readonly observation: PerBlock<BlockArray> | null;
  readonly action: Float32Array | null;
  readonly loss: TickLoss | null;
}

/** Counts of sentences that differ only in their numbers; the first of each is the one that is shown. */
export class ReasonCounts {
  readonly #counted = new Map<string, { readonly reason: string; count: number }>();

  add(reason: string, count = 1): void {
    const key = reason.replace(/(?<![\w/])-?\d[\d.:TZ-]*/g, '#');
    const known = this.#counted.get(key);
    if (known === undefined) this.#counted.set(key, { reason, count });
    else known.count += count;
  }

  /** The most frequent first. */
  get list(): readonly { readonly reason: string; readonly count: number }[] {
    return [...this.#counted.values()].sort((a, b) => b.count - a.count);
  }
}

/** What happened to the messages and ticks of a recording; counters that sampling increases. */
export interface SampleReport {
  /** Ticks inside an episode that were left out. */
  readonly ticks: Record<TickProblem, number>;
  /** Why ticks were left out; absent in reports that were made without reading. */
  readonly reasons?: ReasonCounts;
  /** Topics that were first heard long after the others, and how many control periods an episode began later for it. */
  readonly late?: ReasonCounts;
  /** Places where an episode was cut in two. */
  splits: number;
  /** Messages with the same topic, stamp and bytes as another: used once. */
  duplicates: number;
  /** Messages with the same topic and stamp as another, but other bytes: neither is used. */
  contradictions: number;
}

export function emptySampleReport(): SampleReport {
  return {
    ticks: { 'state missing': 0, 'state refused': 0, 'command missing': 0, 'command refused': 0 },
    reasons: new ReasonCounts(),
    late: new ReasonCounts(),
    splits: 0,
    duplicates: 0,
    contradictions: 0,
  };
}
