import type { Transition } from '../../messages/index.js';

/** A whole episode that the learning policy drove. */
export interface RolloutEpisode {
  /** Sum of the task's own rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
}

/**
 * Finds whole episodes among the transitions of one sender at a time. An episode counts from its first step to its end,
 * without a gap, without a person's help, and with the rewards of a task; others say nothing of the policy.
 */
export class Rollouts {
  #key = '';
  #next = 0;
  #sum = 0;

  /** Takes a transition that is new, and gives the episode that ended with it. */
  take({
    session,
    episode,
    step,
    reward,
    intervention,
    terminated,
    truncated,
  }: Transition): RolloutEpisode | undefined {
    const key = `${session} ${episode}`;
    if (step === 0) {
      this.#key = key;
      this.#next = 0;
      this.#sum = 0;
    }
    if (key !== this.#key || step !== this.#next || intervention || !Number.isFinite(reward)) {
      this.#key = '';
      return undefined;
    }
    this.#next++;
    this.#sum += reward;
    if (!terminated && !truncated) return undefined;
    this.#key = '';
    return { return: this.#sum, length: this.#next };
  }
}
