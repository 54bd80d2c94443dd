import { stackObservations } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { Episode } from '../learning/index.js';
import { observationOf, PolicyActions, type RobotSpec } from '../robot/index.js';
import type { EpisodeTrace } from './episode-tracer.js';

/** A demonstration as learning takes it: actions in [−1, 1]. */
export function learningEpisode(episode: DemonstrationEpisode, spec: RobotSpec): Episode {
  const { length, observations, terminated } = episode;
  const actions = new PolicyActions(spec).normalise(episode.actions, observations);
  return { length, observations, actions, terminated };
}

/** An episode that was traced while it was driven, as learning takes it. */
export function tracedEpisode(
  { observations, actions }: Pick<EpisodeTrace, 'observations' | 'actions'>,
  terminated: boolean,
  spec: RobotSpec,
): Episode {
  const observed = stackObservations(observationOf(spec), observations);
  return {
    length: actions.length,
    observations: observed,
    actions: new PolicyActions(spec).normalise(
      actions.flatMap((action) => [...action]),
      observed,
    ),
    terminated,
  };
}
