import { IqLearnError } from '../../common/index.js';

/** How an episode ended: as wanted, not as wanted, or nobody said. */
export type Verdict = 'success' | 'failure' | 'unknown';

/** `waiting` for a person to start, `running`, `resetting` until the next one begins by itself, or all are there. */
export type Phase = 'waiting' | 'running' | 'resetting' | 'done';

export interface EpisodeRules {
  /** Episodes to keep, those of an earlier part of the session among them; 0: no limit. */
  readonly episodes: number;
  /** Longest duration of an episode; 0: no limit. */
  readonly episodeNs: bigint;
  /** Pause after which the next episode begins by itself; 0: it waits for a person. */
  readonly resetNs: bigint;
  /** What an episode that reaches its longest duration counts as. */
  readonly timeUp: Verdict;
  /** Whether an end with this verdict is a true terminal state, whose value is 0. Other ends are cuts. */
  readonly terminal: { readonly success: boolean; readonly failure: boolean };
}

export interface EpisodeCounts {
  readonly success: number;
  readonly failure: number;
  readonly unknown: number;
  readonly discarded: number;
}

export const noEpisodes: EpisodeCounts = { success: 0, failure: 0, unknown: 0, discarded: 0 };

/** An episode that has ended. */
export interface EndedEpisode {
  /** Its number in the session, from 1. One that is done again has another number. */
  readonly number: number;
  readonly verdict: Verdict;
  readonly terminated: boolean;
  readonly seconds: number;
  /** Why it ended, for people. */
  readonly reason: string;
}

/** Episodes that were kept. */
export const keptOf = ({ success, failure, unknown }: EpisodeCounts): number => success + failure + unknown;

/**
 * The episodes of a session as a person conducts them: start, end with a verdict, discard. It has no timers: `due` says
 * what time itself brings. All times are of one steady clock. What makes no sense now throws CONFLICT and changes nothing.
 */
export class EpisodeMachine {
  readonly #rules: EpisodeRules;
  #counts: EpisodeCounts;
  #phase: Phase;
  #number: number;
  #startedNs = 0n;
  #endedNs = 0n;
  /** The last episode, while it may still be discarded. */
  #last: EndedEpisode | undefined;

  /** `before`: the counts of the part of the session that is gone on with. */
  constructor(rules: EpisodeRules, before: EpisodeCounts = noEpisodes) {
    this.#rules = rules;
    this.#counts = before;
    this.#number = keptOf(before) + before.discarded;
    this.#phase = this.#isComplete ? 'done' : 'waiting';
  }

  get phase(): Phase {
    return this.#phase;
  }

  get counts(): EpisodeCounts {
    return this.#counts;
  }

  /** Number of the episode that runs, or of the last one; 0 before the first. */
  get number(): number {
    return this.#number;
  }

  /** The last episode, where it has ended and may still be discarded. */
  get last(): EndedEpisode | undefined {
    return this.#last;
  }

  /** Seconds since the episode began, or since it ended. */
  seconds(nowNs: bigint): number {
    return Number(nowNs - (this.#phase === 'running' ? this.#startedNs : this.#endedNs)) / 1e9;
  }

  /** Why no episode can begin now; undefined if one can. */
  get refusal(): string | undefined {
    if (this.#phase === 'running') return `episode ${this.#number} is running: end it first`;
    if (this.#phase === 'done') return `all ${this.#rules.episodes} episodes are there`;
    return undefined;
  }

  start(nowNs: bigint): number {
    if (this.refusal !== undefined) throw new IqLearnError('CONFLICT', this.refusal);
    this.#phase = 'running';
    this.#startedNs = nowNs;
    this.#last = undefined;
    return ++this.#number;
  }

  end(verdict: Verdict, reason: string, nowNs: bigint): EndedEpisode {
    if (this.#phase !== 'running') throw notRunning();
    const terminated = verdict !== 'unknown' && this.#rules.terminal[verdict];
    const ended = { number: this.#number, verdict, terminated, seconds: this.seconds(nowNs), reason };
    this.#count(verdict, 1);
    this.#close(nowNs);
    this.#last = ended;
    return ended;
  }

  /** Throws away the episode that runs, or the last one before another begins; it is done again. */
  discard(nowNs: bigint): { readonly number: number; readonly wasRunning: boolean } {
    const wasRunning = this.#phase === 'running';
    if (!wasRunning) {
      if (this.#last === undefined)
        throw new IqLearnError('CONFLICT', 'there is no episode to throw away', {
          found: this.#number === 0 ? 'none has begun' : `episode ${this.#number} is thrown away already`,
        });
      this.#count(this.#last.verdict, -1);
    }
    this.#count('discarded', 1);
    this.#last = undefined;
    this.#close(nowNs);
    return { number: this.#number, wasRunning };
  }

  /** A start or a pause that did not come about: the next episode waits for a person. */
  wait(): void {
    if (this.#phase === 'resetting') this.#phase = 'waiting';
  }

  /** What is to be done because of the time alone. */
  due(nowNs: bigint): 'end' | 'start' | undefined {
    const { episodeNs, resetNs } = this.#rules;
    if (this.#phase === 'running') return episodeNs > 0n && nowNs - this.#startedNs >= episodeNs ? 'end' : undefined;
    return this.#phase === 'resetting' && nowNs - this.#endedNs >= resetNs ? 'start' : undefined;
  }

  get timeUp(): Verdict {
    return this.#rules.timeUp;
  }

  /** Seconds until `due` says something; undefined if time alone brings nothing. */
  secondsLeft(nowNs: bigint): number | undefined {
    const { episodeNs, resetNs } = this.#rules;
    const limitNs = this.#phase === 'running' ? episodeNs : this.#phase === 'resetting' ? resetNs : 0n;
    return limitNs === 0n ? undefined : Math.max(0, Number(limitNs) / 1e9 - this.seconds(nowNs));
  }

  get #isComplete(): boolean {
    return this.#rules.episodes > 0 && keptOf(this.#counts) >= this.#rules.episodes;
  }

  #count(what: keyof EpisodeCounts, by: number): void {
    this.#counts = { ...this.#counts, [what]: this.#counts[what] + by };
  }

  #close(nowNs: bigint): void {
    this.#endedNs = nowNs;
    this.#phase = this.#isComplete ? 'done' : this.#rules.resetNs > 0n ? 'resetting' : 'waiting';
  }
}

export function notRunning(): IqLearnError {
  return new IqLearnError('CONFLICT', 'no episode is running', { remedy: 'start one first' });
}
