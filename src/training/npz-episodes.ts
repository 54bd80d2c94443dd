import { IqLearnError } from '../common/index.js';
import { importNpz } from '../demonstrations/index.js';
import type { Episode } from '../learning/index.js';
import type { Environment } from '../simulation/index.js';
import { oneHot } from './environment-actions.js';

/**
 * Demonstrations of an environment from an .npz file of steps, in the environment's units. Discrete actions are indices
 * (one number) or one-hot. Throws what `importNpz` throws, and MISMATCH for demonstrations of another environment.
 */
export function npzEpisodes(file: string, environment: Environment): Episode[] {
  const { observationSize, actionLow, actionHigh, discrete } = environment;
  const size = actionLow.length;
  return importNpz(file).map((episode) => {
    const indexed = discrete === true && episode.actionSize === 1;
    const inRange = !indexed || episode.actions.every((a) => Number.isInteger(a) && a >= 0 && a < size);
    if (episode.observationSize !== observationSize || (!indexed && episode.actionSize !== size) || !inRange)
      throw new IqLearnError('MISMATCH', `${file} holds demonstrations of another environment`, {
        found: `${episode.observationSize} observations, ${episode.actionSize} actions${inRange ? '' : ' beyond the range'}`,
        expected: `${observationSize} observations, ${size} actions${discrete === true ? ' (an index, or one-hot)' : ''}`,
      });
    const { length, observations, terminated } = episode;
    const actions = indexed
      ? Float32Array.from([...episode.actions].flatMap((index) => [...oneHot(size, index)]))
      : episode.actions.map((value, i) => {
          if (discrete === true) return value;
          const k = i % size;
          return (2 * (value - actionLow[k]!)) / (actionHigh[k]! - actionLow[k]!) - 1;
        });
    return { length, observations, actions, terminated };
  });
}
