import { ActionRange, stackObservations } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { Episode } from '../learning/index.js';
import { observationOf, type RobotSpec } from '../robot/index.js';
import type { EpisodeTrace } from './episode-tracer.js';

/** A demonstration as learning takes it: actions in [−1, 1]. */
export function learningEpisode(episode: DemonstrationEpisode, spec: RobotSpec): Episode {
  const { length, observations, terminated } = episode;
  const actions = ActionRange.of(spec.action).normalise(episode.actions);
  return { length, observations, actions, terminated };
}

/** An episode that was traced while it was driven, as learning takes it. */
export function tracedEpisode(
  { observations, actions }: Pick<EpisodeTrace, 'observations' | 'actions'>,
  terminated: boolean,
  spec: RobotSpec,
): Episode {
  return {
    length: actions.length,
    observations: stackObservations(observationOf(spec), observations),
    actions: ActionRange.of(spec.action).normalise(actions.flatMap((action) => [...action])),
    terminated,
  };
}
