import type { Episode } from '../../learning/index.js';
import { decodeBundle } from '../../policy/index.js';
import type { Environment } from '../../simulation/index.js';
import { type DrivenEpisode, driveEpisodes } from '../driven-episodes.js';
import { oneHot } from '../environment-actions.js';
import { CandidateChoice } from './candidates.js';
import { OccupancyDistance } from './occupancy-distance.js';

export interface EnvironmentCandidateOptions {
  /** Where candidates drive: another copy than the one that is learned in. */
  readonly environment: Environment;
  /** As learning takes them: actions in [−1, 1], or one-hot. */
  readonly demonstrations: readonly Episode[];
  /** Whether only states are compared, because nobody has seen the actions of the demonstrations. */
  readonly statesOnly: boolean;
  readonly seed: number;
  readonly folder: string;
  /** What the environment is of. */
  readonly task: string;
  /** Whether the run ends once learning has converged; not if not given. */
  readonly stopWhenConverged?: boolean;
  /** Once it is given, candidates drive no further and what waits for them rejects with CANCELLED. */
  readonly signal?: AbortSignal;
}

/**
 * The choice of the deployed policy for a run in an environment, which needs no nodes. `versions` are the candidates
 * that a resumed run has had. Throws INVALID_ARGUMENT without a step of demonstration, CORRUPT_DATA for scores that
 * cannot be read.
 */
export function environmentCandidates(
  {
    environment,
    demonstrations,
    statesOnly,
    seed,
    folder,
    task,
    stopWhenConverged = false,
    signal,
  }: EnvironmentCandidateOptions,
  versions: readonly number[] = [],
): CandidateChoice {
  const actionSize = statesOnly ? 0 : environment.actionRange.size;
  return new CandidateChoice(
    {
      seed,
      folder,
      task: { name: task },
      stopWhenConverged,
      distance: new OccupancyDistance(demonstrations, environment.observation, actionSize),
      drive: async (bundle, seeds) => {
        const policy = await decodeBundle(bundle);
        try {
          const driven: DrivenEpisode[] = [];
          for (const start of seeds)
            driven.push(
              ...(await driveEpisodes(environment, (observation) => policy.act(observation), {
                ...{ episodes: 1, seed: start },
                ...(signal && { signal }),
              })),
            );
          return driven.map((each) => ({ episode: learnedEpisode(each, environment), return: each.return }));
        } finally {
          await policy.dispose();
        }
      },
    },
    versions,
  );
}

/** An episode that was driven in an environment, as learning takes it. */
function learnedEpisode(driven: DrivenEpisode, { actionRange, discrete }: Environment): Episode {
  const { length, observations, actions, terminated } = driven;
  const learned =
    discrete === true
      ? Float32Array.from([...actions].flatMap((index) => [...oneHot(actionRange.size, index)]))
      : actionRange.normalise(actions);
  return { length, observations, actions: learned, terminated };
}
