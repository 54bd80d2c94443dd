import type { BlockArray, PerBlock } from '../common/index.js';

/** Why the tick of an episode cannot be used. */
export type TickProblem =
  /** A topic that publishes regularly lacks the message due at this tick, or its newest one is older than its timeout. */
  | 'state missing'
  /** The newest message of a topic is not finite, lacks joints, or is given in the wrong frame. */
  | 'state refused'
  | 'command missing'
  | 'command refused';

/** One instant of the control rate. `problem` says why observation or action are missing. */
export interface Tick {
  readonly observation: PerBlock<BlockArray> | null;
  readonly action: Float32Array | null;
  readonly problem: TickProblem | null;
}

/** What happened to the messages and ticks of a recording; counters that sampling increases. */
export interface SampleReport {
  /** Ticks inside an episode that were left out. */
  readonly ticks: Record<TickProblem, number>;
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
    splits: 0,
    duplicates: 0,
    contradictions: 0,
  };
}
