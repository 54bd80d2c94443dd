import { ActionRange } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import type { Episode } from '../learning/index.js';
import type { RobotSpec } from '../robot/index.js';
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
    observations: flat(observations, spec.observation.length),
    actions: ActionRange.of(spec.action).normalise(flat(actions, spec.action.length)),
    terminated,
  };
}

/** Rows one after the other. */
function flat(rows: readonly ArrayLike<number>[], size: number): Float32Array {
  const out = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    out.set(row, i * size);
  });
  return out;
}
