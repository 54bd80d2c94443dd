import type { Transition } from '../../messages/index.js';

interface Open<Kept> {
  readonly session: string;
  readonly episode: number;
  steps: number;
  readonly kept: Kept;
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
  take(
    robot: string,
    transition: Transition,
    sound = true,
  ): { kept: Kept; length: number; ended: boolean } | undefined {
    const { session, episode, step, intervention, terminated, truncated } = transition;
    if (step === 0) this.#open.set(robot, { session, episode, steps: 0, kept: this.#begin() });
    const open = this.#open.get(robot);
    if (open === undefined) return undefined;
    const follows = open.session === session && open.episode === episode && open.steps === step;
    if (!follows || intervention || !sound) {
      this.#open.delete(robot);
      return undefined;
    }
    open.steps++;
    const ended = terminated || truncated;
    if (ended) this.#open.delete(robot);
    return { kept: open.kept, length: open.steps, ended };
  }

  /** A transition of the robot was left out: its open episode has a gap. */
  interrupt(robot: string): void {
    this.#open.delete(robot);
  }
}
