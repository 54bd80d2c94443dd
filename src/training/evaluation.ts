import type { Actor } from '../learning/index.js';
import type { Environment } from '../simulation/index.js';
import { type DrivenEpisode, driveEpisodes } from './driven-episodes.js';
import { inTaskUnits } from './environment-actions.js';

/** What is evaluated of an episode. */
export type EvaluatedEpisode = Pick<DrivenEpisode, 'return' | 'length' | 'terminated'>;

/** Whole episodes under a policy's deterministic action, seeds from `seed` up. */
export function evaluateOnTask(
  policy: Pick<Actor, 'act'>,
  environment: Environment,
  options: { readonly episodes: number; readonly seed: number },
): Promise<DrivenEpisode[]> {
  return driveEpisodes(
    environment,
    async (observation) => inTaskUnits(environment, await policy.act(observation)),
    options,
  );
}
