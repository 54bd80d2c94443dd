import { fact, type Transition, type TransitionRows } from '../../messages/index.js';

interface Open<Kept> {
  readonly session: string;
  readonly episode: number;
  steps: number;
  readonly kept: Kept;
}

/** What of a transition says whether an episode goes on with it. */
interface Step {
  readonly session: string;
  readonly episode: number;
  readonly step: number;
  /** Whether the policy drove, and the transition can be believed. */
  readonly counts: boolean;
  readonly ends: boolean;
}

/** An episode that counts so far, with the transition that was taken last. */
export interface Followed<Kept> {
  readonly kept: Kept;
  readonly length: number;
  readonly ended: boolean;
}

/**
 * Follows the episodes of each robot in its transitions. An episode counts from its first step to its end, without a gap
 * and without a person's help; others say nothing of the policy. What is kept of one is made by `begin` at its first step.
 */
export class EpisodeFollower<Kept> {
  readonly #begin: () => Kept;
  readonly #open = new Map<string, Open<Kept>>();

  constructor(begin: () => Kept) {
    this.#begin = begin;
  }

  /**
   * What is kept of the episode that the next transition of a robot goes on with, and whether it ends it; undefined where
   * the episode does not count. It does not from the first transition on that is not `sound`.
   */
  take(robot: string, transition: Transition, sound = true): Followed<Kept> | undefined {
    const { session, episode, step, intervention, terminated, truncated } = transition;
    return this.#follow(robot, {
      session,
      episode,
      step,
      counts: sound && !intervention,
      ends: terminated || truncated,
    });
  }

  /** As {@link take}, of a transition that lies in a row. */
  takeRow(robot: string, rows: TransitionRows, row: number, sound = true): Followed<Kept> | undefined {
    return this.#follow(robot, {
      session: rows.sessions[row]!,
      episode: rows.fact(row, fact.episode),
      step: rows.fact(row, fact.step),
      counts: sound && rows.fact(row, fact.intervention) === 0,
      ends: rows.fact(row, fact.terminated) === 1 || rows.fact(row, fact.truncated) === 1,
    });
  }

  #follow(robot: string, { session, episode, step, counts, ends }: Step): Followed<Kept> | undefined {
    if (step === 0) this.#open.set(robot, { session, episode, steps: 0, kept: this.#begin() });
    const open = this.#open.get(robot);
    if (open === undefined) return undefined;
    if (!counts || open.session !== session || open.episode !== episode || open.steps !== step) {
      this.#open.delete(robot);
      return undefined;
    }
    open.steps++;
    if (ends) this.#open.delete(robot);
    return { kept: open.kept, length: open.steps, ended: ends };
  }

  /** A transition of the robot was left out: its open episode has a gap. */
  interrupt(robot: string): void {
    this.#open.delete(robot);
  }
}
