import { ActionRange } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { Episode } from '../learning/index.js';
import type { RobotSpec } from '../robot/index.js';

/** A demonstration as learning takes it: actions in [−1, 1]. */
export function learningEpisode(episode: DemonstrationEpisode, spec: RobotSpec): Episode {
  const { length, observations, terminated } = episode;
  const actions = ActionRange.of(spec.action).normalise(episode.actions);
  return { length, observations, actions, terminated };
}
