import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { LearnerConfig } from '../learning/index.js';
import type { LearnerNode } from '../nodes/index.js';
import { observationOf, type RobotSpec } from '../robot/index.js';
import { learnsFromStatesAlone, OccupancyDistance, RolloutChoice } from '../training/index.js';
import { FleetEpisodes } from './fleet/fleet-episodes.js';
import { learningEpisode } from './learning-episode.js';

/**
 * The choice of the deployed policy for a learner node that hears of a robot over topics: it follows the episodes in the
 * node's transitions, and is given the candidates. Throws INVALID_ARGUMENT without a step of demonstration, CORRUPT_DATA
 * for scores of an earlier part of the run that cannot be read.
 */
export function rolloutCandidates(
  node: LearnerNode,
  run: {
    readonly spec: RobotSpec;
    readonly config: LearnerConfig;
    readonly demonstrations: readonly DemonstrationEpisode[];
    readonly folder: string;
  },
): RolloutChoice {
  const { spec, config, demonstrations, folder } = run;
  const distance = new OccupancyDistance(
    demonstrations.map((episode) => learningEpisode(episode, spec)),
    observationOf(spec),
    learnsFromStatesAlone(config) ? 0 : spec.action.length,
  );
  const choice = new RolloutChoice({ distance, folder, from: node.progress.version });
  const episodes = new FleetEpisodes(spec);
  node.onTransition((transition) => {
    const ended = episodes.take('', transition);
    if (ended !== undefined) choice.episode(ended.episode);
  });
  return choice;
}
