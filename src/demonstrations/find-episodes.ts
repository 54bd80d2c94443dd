import { type EpisodeEvent, episodeEvent } from '../messages/index.js';
import type { EpisodePart, Era } from './timeline.js';

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
  /** Number of episodes whose start or end a damaged place took away, so that it is not known whether they were kept. */
  readonly uncertain: number;
}

/**
 * The episodes of a recording by its markers. A recording without markers is one episode, unless it `hadMarkers` and
 * they are lost.
 */
export function findEpisodes(eras: readonly Era[], eventTopic: string, hadMarkers = false): Episodes {
  const hasMarkers = hadMarkers || eras.some(({ messages }) => messages.some(({ topic }) => topic === eventTopic));
  if (!hasMarkers) {
    const clockJumps = eras.filter(({ cause }) => cause === 'forward' || cause === 'backward').length;
    const parts = eras.flatMap(({ messages }, era) => (messages.length === 0 ? [] : [fresh(0, era, null)]));
    return { parts, discarded: 0, clockJumps, uncertain: 0 };
  }
  const finder = new EpisodeFinder();
  eras.forEach((era, i) => {
    finder.enter(era, i, eventTopic);
    for (const { topic, message, stampNs } of era.messages)
      if (topic === eventTopic) finder.see(message as EpisodeEvent, stampNs, i);
  });
  return finder.end();
}

class EpisodeFinder {
  readonly #parts: Open[] = [];
  /** Parts of the episode that is open. */
  #open: Open[] = [];
  /** Parts behind a damaged place that may have held markers: of the episode that was open before it, or of another. */
  #doubtful: Open[] = [];
  #isDoubtful = false;
  /** Whether it is known that a marker was lost there, and not only possible. */
  #lostMarker = false;
  #discarded = 0;
  #clockJumps = 0;
  #uncertain = 0;

  enter({ messages, cause, lostTopics }: Era, era: number, eventTopic: string): void {
    if (cause === 'start') return;
    const losesMarkers = cause === 'damage' && (lostTopics == null || lostTopics.has(eventTopic));
    if (losesMarkers) {
      // Behind two such places nothing is known of what lies between them.
      this.#doubtful = [];
      this.#isDoubtful = true;
      this.#lostMarker = lostTopics != null;
    }
    if (messages.length === 0) return;
    const number = this.#open[0]?.number ?? 0;
    if (this.#isDoubtful) this.#doubtful.push(fresh(number, era, null));
    else if (this.#open.length > 0) this.#open.push(fresh(number, era, null));
    if (cause !== 'damage' && (this.#open.length > 0 || this.#isDoubtful)) this.#clockJumps++;
  }

  see({ kind, episode, terminated, success, seed }: EpisodeEvent, stampNs: bigint, era: number): void {
    if (kind === episodeEvent.START) {
      if (this.#isDoubtful) this.#forget();
      const last = this.#open.at(-1);
      if (last !== undefined) last.endNs = stampNs - 1n;
      this.#parts.push(...this.#open);
      this.#open = [{ ...fresh(episode, era, stampNs), seed: seed < 0n ? null : seed }];
      return;
    }
    if (this.#isDoubtful) this.#settle(episode);
    if (kind === episodeEvent.END) {
      const last = this.#open.at(-1);
      if (last !== undefined) {
        last.endNs = stampNs;
        last.terminated = terminated;
        const known = success === episodeEvent.UNKNOWN ? null : success === episodeEvent.SUCCESS;
        for (const part of this.#open) part.success = known;
      }
      this.#parts.push(...this.#open);
    } else if (kind === episodeEvent.DISCARD) {
      // Thrown away while it was open, or afterwards, before another one began.
      const closed = this.#open.length > 0 ? 0 : this.#countLast(episode);
      if (this.#open.length + closed > 0) this.#discarded++;
      this.#parts.length -= closed;
    }
    this.#open = [];
  }

  /** What is open at the end was cut there. What lies behind a damaged place that may have held its end is left out. */
  end(): Episodes {
    if (this.#isDoubtful && this.#open.length === 0) this.#forget();
    else if (this.#doubtful.length > 0) this.#uncertain++;
    return {
      parts: [...this.#parts, ...this.#open],
      discarded: this.#discarded,
      clockJumps: this.#clockJumps,
      uncertain: this.#uncertain,
    };
  }

  /** The end of an episode says which one the doubtful parts are of. */
  #settle(episode: number): void {
    if (this.#open[0]?.number !== episode) {
      if (this.#open.length > 0) this.#uncertain++;
      this.#open = [];
    }
    this.#open.push(...this.#doubtful.map((part) => ({ ...part, number: episode })));
    this.#doubtful = [];
    this.#isDoubtful = false;
  }

  /** The end of the open episode was lost, or what came after the last one's end: it may have been discarded. */
  #forget(): void {
    const last = this.#parts.at(-1);
    const closed = this.#open.length === 0 && this.#lostMarker && last !== undefined ? this.#countLast(last.number) : 0;
    if (this.#open.length + closed > 0) this.#uncertain++;
    this.#parts.length -= closed;
    this.#open = [];
    this.#doubtful = [];
    this.#isDoubtful = false;
  }

  /** How many of the last parts are of the episode with this number. */
  #countLast(number: number): number {
    return this.#parts.length - 1 - this.#parts.findLastIndex((part) => part.number !== number);
  }
}
