import { IqLearnError, joinVectors, type ObservationSpec, throwIfCancelled } from '../common/index.js';
import type { Device } from '../engine/index.js';
import type { PolicyFunction } from '../policy/index.js';
import { type Episode, numbersOf } from './data/episode.js';
import { type Normalisation, normalisationOf } from './data/normalisation.js';
import { Learner } from './learner.js';
import { type LearnerConfig, type LearnerSettings, learnerConfig } from './settings.js';

/** Settings of the agent `cloning`, without its name. */
export type CloningSettings = Omit<Extract<LearnerSettings, { agent: 'cloning' }>, 'agent'>;

export interface CloningOptions {
  readonly episodes: readonly Episode[];
  /** The blocks of an observation. */
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  readonly seed: number;
  /** What differs from the agent's defaults. */
  readonly settings?: CloningSettings;
  /** By default that of the demonstrations' observations. */
  readonly normalisation?: Normalisation;
  /** Updates in all, 5000 by default. */
  readonly updates?: number;
  /** What updates run on: `cpu` by default. */
  readonly device?: Device;
  readonly onProgress?: (update: number, loss: number) => void;
  /** Ends the cloning early, as CANCELLED. */
  readonly signal?: AbortSignal;
}

/** Updates between two calls of `onProgress`. */
const PROGRESS_UPDATES = 500;
/** Updates between two looks at the signal. */
const TURN_UPDATES = 50;

/**
 * Behavioural cloning of the demonstrations: the baseline that every imitation is compared with. Deterministic in its
 * seed. Throws INVALID_ARGUMENT without a step to clone, DIVERGED, CANCELLED.
 */
export async function behaviouralCloning(options: CloningOptions): Promise<PolicyFunction> {
  const { episodes, observation, actionSize, seed, settings = {}, updates = 5000 } = options;
  if (episodes.every(({ length }) => length === 0))
    throw new IqLearnError('INVALID_ARGUMENT', 'nothing to clone', {
      found: `${episodes.length} episodes without a step`,
      expected: 'at least one demonstration',
    });
  const learner = await Learner.create({
    config: learnerConfig({ decayUpdates: updates, ...settings, agent: 'cloning' }),
    observation,
    actionSize,
    normalisation: options.normalisation ?? normalisationOfStates(observation, episodes),
    seed,
    ...(options.device === undefined ? {} : { device: options.device }),
  });
  try {
    for (const episode of episodes) learner.addDemonstration(episode);
    for (let update = 1; update <= updates; update++) {
      const metrics = await learner.update();
      if (update % TURN_UPDATES === 0) {
        // Other work of this process, such as hearing a signal, gets its turn.
        await new Promise((resolve) => setTimeout(resolve, 0));
        throwIfCancelled(options.signal);
      }
      if (update % PROGRESS_UPDATES === 0) options.onProgress?.(update, metrics['train/actor_loss']!);
    }
    return learner.policyFunction();
  } finally {
    await learner.dispose();
  }
}

/** The settings with which cloning makes a policy that an agent with these settings can start from. */
export function cloningSettingsOf(config: LearnerConfig): CloningSettings {
  return {
    hiddenSizes: config.hiddenSizes,
    ...('logStdRange' in config ? { logStdRange: config.logStdRange, actionClip: config.actionClip } : {}),
  };
}

/** The normalisation of the observations in which an action was taken. */
function normalisationOfStates(observation: ObservationSpec, episodes: readonly Episode[]): Normalisation {
  const states = episodes.map(({ observations, length }) => numbersOf(observation, observations, length));
  const all = joinVectors(states);
  return normalisationOf(all, all.length / episodes.reduce((sum, { length }) => sum + length, 0));
}
