import type { Transition } from '../../messages/index.js';

/** A whole episode that the learning policy drove. */
export interface RolloutEpisode {
  /** The robot of a fleet that drove it; '' where there is no fleet. */
  readonly robot: string;
  /** Sum of the task's own rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
}

/** What is known of the open episode of one robot. */
interface Open {
  /** '' where the episode does not count. */
  key: string;
  next: number;
  sum: number;
}

/**
 * Finds whole episodes among the transitions of each robot. An episode counts from its first step to its end,
 * without a gap, without a person's help, and with the rewards of a task; others say nothing of the policy.
 */
export class Rollouts {
  readonly #open = new Map<string, Open>();

  /** Takes a transition that is new, and gives the episode that ended with it. */
  take(transition: Transition, robot = ''): RolloutEpisode | undefined {
    const { session, episode, step, reward, intervention, terminated, truncated } = transition;
    const key = `${session} ${episode}`;
    if (step === 0) this.#open.set(robot, { key, next: 0, sum: 0 });
    const open = this.#open.get(robot);
    if (open === undefined) return undefined;
    if (key !== open.key || step !== open.next || intervention || !Number.isFinite(reward)) {
      open.key = '';
      return undefined;
    }
    open.next++;
    open.sum += reward;
    if (!terminated && !truncated) return undefined;
    open.key = '';
    return { robot, return: open.sum, length: open.next };
  }
}
