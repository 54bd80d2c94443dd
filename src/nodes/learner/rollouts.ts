import { fact, type Transition, type TransitionRows } from '../../messages/index.js';
import { EpisodeFollower, type Followed } from '../kit/episode-follower.js';

/** A whole episode that the learning policy drove. */
export interface RolloutEpisode {
  /** The robot of a fleet that drove it; '' where there is no fleet. */
  readonly robot: string;
  /** Sum of the task's own rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
}

/** Finds whole episodes among the transitions of each robot: those with the rewards of a task that {@link EpisodeFollower} counts. */
export class Rollouts {
  readonly #episodes = new EpisodeFollower(() => ({ sum: 0 }));

  /** Takes a transition that is new, and gives the episode that ended with it. */
  take(transition: Transition, robot = ''): RolloutEpisode | undefined {
    const { reward } = transition;
    return this.#add(robot, reward, this.#episodes.take(robot, transition, Number.isFinite(reward)));
  }

  /** As {@link take}, of a transition that lies in a row. */
  takeRow(rows: TransitionRows, row: number, robot = ''): RolloutEpisode | undefined {
    const reward = rows.fact(row, fact.reward);
    return this.#add(robot, reward, this.#episodes.takeRow(robot, rows, row, Number.isFinite(reward)));
  }

  #add(robot: string, reward: number, followed: Followed<{ sum: number }> | undefined): RolloutEpisode | undefined {
    if (followed === undefined) return undefined;
    followed.kept.sum += reward;
    return followed.ended ? { robot, return: followed.kept.sum, length: followed.length } : undefined;
  }
}
