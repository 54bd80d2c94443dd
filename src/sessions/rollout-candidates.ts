import type { LearnerNode } from '../nodes/index.js';
import { RolloutChoice } from '../training/index.js';
import { type CandidateRun, distanceFrom } from './candidates.js';
import { FleetEpisodes } from './fleet/fleet-episodes.js';

/**
 * The choice of the deployed policy for a learner node that hears of a robot over topics: it follows the episodes in the
 * node's transitions, and is given the candidates. Throws INVALID_ARGUMENT without a step of demonstration, CORRUPT_DATA
 * for scores of an earlier part of the run that cannot be read.
 */
export function rolloutCandidates(
  node: LearnerNode,
  run: Pick<CandidateRun, 'spec' | 'config' | 'demonstrations'> & { readonly folder: string },
): RolloutChoice {
  const choice = new RolloutChoice({ distance: distanceFrom(run), folder: run.folder, from: node.progress.version });
  const episodes = new FleetEpisodes(run.spec);
  node.onTransition((transition) => {
    const ended = episodes.take('', transition);
    if (ended !== undefined) choice.episode(ended.episode);
  });
  return choice;
}
