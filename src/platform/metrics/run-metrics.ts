import { mean } from '../../common/index.js';
import type { MetricsLog } from './metrics-log.js';
import type { MetricValues } from './sink.js';

/** The means of `rollout/` are taken over this many of the last episodes. */
const WINDOW = 100;

/** An episode that the learning policy drove. */
export interface EpisodeMetrics {
  /** The sum of the task's own rewards. */
  readonly return: number;
  /** The number of steps. */
  readonly length: number;
  /** Whether the episode succeeded. It is left out where the task does not know success. */
  readonly success?: boolean;
}

/** How a policy of the run compares with the demonstrations. */
export interface CandidateMetrics {
  /** The distance over all of its episodes, and that of the worst one. */
  readonly distance: number;
  readonly worst: number;
  /** The mean return. */
  readonly return: number;
}

/** How far learning has come. */
export interface LearningMetrics {
  /** The number of the policy's own steps so far, those before a resumption included. */
  readonly steps: number;
  /** The number of gradient updates so far. */
  readonly updates: number;
  /** The duration of the run so far in seconds, the time before a resumption included. */
  readonly seconds: number;
  /** What the agent measured, under the agent's own names, such as train/critic_loss. */
  readonly train: MetricValues;
}

/** Gives the mean return, length and success of episodes under these names. Without an episode it gives nothing. */
function episodeMeans(
  episodes: readonly EpisodeMetrics[],
  names: { readonly return: string; readonly length: string; readonly success: string },
): MetricValues {
  if (episodes.length === 0) return {};
  const successes = episodes.flatMap(({ success }) => (success === undefined ? [] : [Number(success)]));
  return {
    [names.return]: mean(episodes.map((episode) => episode.return)),
    [names.length]: mean(episodes.map(({ length }) => length)),
    ...(successes.length === 0 ? {} : { [names.success]: mean(successes) }),
  };
}

/**
 * Gives what happens in a run the names that users of stable-baselines3 know, and writes a row whenever learning has
 * come further: `rollout/` means over the last 100 episodes, `time/`, `train/`; and `eval/` after an evaluation.
 */
export class RunMetrics {
  readonly #log: MetricsLog;
  readonly #episodes: EpisodeMetrics[] = [];
  #candidate: MetricValues = {};
  readonly #from: { readonly steps: number; readonly seconds: number };

  /** `from` says how far the run had come when this process began, so that time/fps is the rate of this process. */
  constructor(log: MetricsLog, from: { readonly steps: number; readonly seconds: number } = { steps: 0, seconds: 0 }) {
    this.#log = log;
    this.#from = from;
  }

  /** Takes an episode of the learning policy that has ended. */
  episode(episode: EpisodeMetrics): void {
    this.#episodes.push(episode);
    if (this.#episodes.length > WINDOW) this.#episodes.shift();
  }

  /** Writes a row, after learning has come further. `evaluated` are the episodes of an evaluation at this step. */
  learned({ steps, updates, seconds, train }: LearningMetrics, evaluated: readonly EpisodeMetrics[] = []): void {
    const rate = (steps - this.#from.steps) / (seconds - this.#from.seconds);
    this.#log.write(steps, {
      ...episodeMeans(this.#episodes, {
        return: 'rollout/ep_rew_mean',
        length: 'rollout/ep_len_mean',
        success: 'rollout/success_rate',
      }),
      ...evaluationMetrics(evaluated),
      ...this.#newCandidate(),
      ...(Number.isFinite(rate) ? { 'time/fps': rate } : {}),
      'time/time_elapsed': seconds,
      'train/n_updates': updates,
      ...train,
    });
  }

  /** Notes how a policy of the run compares with the demonstrations, for the next row. See OccupancyDistance in training. */
  candidate({ distance, worst, return: total }: CandidateMetrics): void {
    this.#candidate = { 'eval/distance': distance, 'eval/distance_worst': worst, 'eval/candidate_reward': total };
  }

  /** Notes how near to the demonstrations the last episodes were that the robot drove while it learned, for the next row. */
  rollouts({ distance, worst }: Pick<CandidateMetrics, 'distance' | 'worst'>): void {
    this.#candidate = { 'rollout/distance': distance, 'rollout/distance_worst': worst };
  }

  /** Writes a row for an evaluation alone, after learning has ended. */
  evaluated(steps: number, episodes: readonly EpisodeMetrics[]): void {
    this.#log.write(steps, { ...evaluationMetrics(episodes), ...this.#newCandidate() });
  }

  #newCandidate(): MetricValues {
    const values = this.#candidate;
    this.#candidate = {};
    return values;
  }
}

const evaluationMetrics = (episodes: readonly EpisodeMetrics[]): MetricValues =>
  episodeMeans(episodes, {
    return: 'eval/mean_reward',
    length: 'eval/mean_ep_length',
    success: 'eval/success_rate',
  });
