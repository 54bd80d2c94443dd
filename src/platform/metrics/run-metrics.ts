import { mean } from '../../common/index.js';
import type { MetricsLog } from './metrics-log.js';
import type { MetricValues } from './sink.js';

/** Episodes that the means of `rollout/` are taken over. */
const WINDOW = 100;

/** An episode that the learning policy drove. */
export interface EpisodeMetrics {
  /** Sum of the task's own rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
  /** Left out where the task does not know success. */
  readonly success?: boolean;
}

/** How a policy of the run compares with the demonstrations. */
export interface CandidateMetrics {
  /** Over all of its episodes, and of the worst one. */
  readonly distance: number;
  readonly worst: number;
  /** Mean return. */
  readonly return: number;
}

/** Where learning stands. */
export interface LearningMetrics {
  /** Own steps of the policy so far, those before a resumption among them. */
  readonly steps: number;
  readonly updates: number;
  /** Seconds of the run so far, those before a resumption among them. */
  readonly seconds: number;
  /** What the agent measured, by its own names: train/critic_loss, … */
  readonly train: MetricValues;
}

/** Mean return, length and success of episodes, by these names; nothing where there is no episode. */
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

  /** `from`: where the run stands at the beginning of this process, so that time/fps is the rate of this process. */
  constructor(log: MetricsLog, from: { readonly steps: number; readonly seconds: number } = { steps: 0, seconds: 0 }) {
    this.#log = log;
    this.#from = from;
  }

  /** An episode of the learning policy has ended. */
  episode(episode: EpisodeMetrics): void {
    this.#episodes.push(episode);
    if (this.#episodes.length > WINDOW) this.#episodes.shift();
  }

  /** Learning has come further: writes a row. `evaluated`: episodes of an evaluation at this step. */
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

  /** A policy of the run was compared with the demonstrations: part of the next row. See OccupancyDistance in training. */
  candidate({ distance, worst, return: total }: CandidateMetrics): void {
    this.#candidate = { 'eval/distance': distance, 'eval/distance_worst': worst, 'eval/candidate_reward': total };
  }

  /** An evaluation by itself, after learning. */
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
