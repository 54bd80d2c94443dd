import { describeObservation, IqLearnError, shapeSize } from '../common/index.js';
import { importNpz } from '../demonstrations/index.js';
import type { Episode } from '../learning/index.js';
import type { Environment } from '../simulation/index.js';
import { oneHot } from './environment-actions.js';

/**
 * Demonstrations of an environment from an .npz file of steps, in the environment's units. Discrete actions are indices
 * (one number) or one-hot. Throws what `importNpz` throws, and MISMATCH for demonstrations of another environment.
 */
export function npzEpisodes(file: string, environment: Environment): Episode[] {
  const { observation, actionRange, discrete } = environment;
  const { size } = actionRange;
  const [block, ...others] = observation;
  if (block === undefined || others.length > 0)
    throw new IqLearnError('UNSUPPORTED', `${file} cannot demonstrate in this environment`, {
      found: `an environment that observes ${describeObservation(observation)}`,
      expected: 'an observation of one block: an .npz file has one array of observations',
      remedy: 'make the episodes in a program and give them to startLearner',
    });
  return importNpz(file).map((episode) => {
    const indexed = discrete === true && episode.actionSize === 1;
    const inRange = !indexed || episode.actions.every((a) => Number.isInteger(a) && a >= 0 && a < size);
    const fits = shapeSize(episode.observation[0]!.shape) === shapeSize(block.shape);
    if (!fits || (!indexed && episode.actionSize !== size) || !inRange)
      throw new IqLearnError('MISMATCH', `${file} holds demonstrations of another environment`, {
        found: `${describeObservation(episode.observation)}, ${episode.actionSize} actions${inRange ? '' : ' beyond the range'}`,
        expected: `${describeObservation(observation)}, ${size} actions${discrete === true ? ' (an index, or one-hot)' : ''}`,
      });
    const { length, observations, terminated } = episode;
    const actions = indexed
      ? Float32Array.from([...episode.actions].flatMap((index) => [...oneHot(size, index)]))
      : discrete === true
        ? episode.actions
        : actionRange.normalise(episode.actions);
    return { length, observations, actions, terminated };
  });
}
