import { IqLearnError } from '../common/index.js';
import type { BoxSpace, Dimension, DiscreteSpace } from './task.js';

/** A dimension without bounds. */
export function unbounded(name: string, unit: string): Dimension {
  return { name, unit, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
}

/**
 * Refuses what no action of this space can be: INVALID_ARGUMENT for a wrong length, a number that is not finite, or
 * a discrete action that does not exist. Values beyond a box's limits pass; what they mean is the task's affair.
 */
export function checkAction(space: BoxSpace | DiscreteSpace, action: ArrayLike<number>): void {
  const length = space.kind === 'box' ? space.dimensions.length : 1;
  if (action.length !== length)
    throw new IqLearnError('INVALID_ARGUMENT', 'the action has the wrong length', {
      found: `${action.length} numbers`,
      expected: `${length} (${space.kind === 'box' ? space.dimensions.map((d) => d.name).join(', ') : 'an index'})`,
    });
  for (let i = 0; i < length; i++)
    if (!Number.isFinite(action[i]))
      throw new IqLearnError('INVALID_ARGUMENT', 'the action is not finite', {
        found: `action[${i}] = ${action[i]}`,
        expected: 'finite numbers',
      });
  if (space.kind === 'discrete' && !(Number.isInteger(action[0]) && action[0]! >= 0 && action[0]! < space.n))
    throw new IqLearnError('INVALID_ARGUMENT', 'there is no such action', {
      found: `${action[0]}`,
      expected: `an integer in 0…${space.n - 1} (${space.names.join(', ')})`,
    });
}

/** Refuses a seed that does not name one episode. Throws INVALID_ARGUMENT. */
export function checkSeed(seed: number): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new IqLearnError('INVALID_ARGUMENT', 'the seed is wrong', {
      found: String(seed),
      expected: 'an integer in 0…4294967295',
    });
}

/** Refuses what `snapshot` of a task cannot have made. Throws INVALID_ARGUMENT. */
export function checkSnapshot(task: string, state: Float64Array, length: number): void {
  if (state.length !== length || !state.every(Number.isFinite))
    throw new IqLearnError('INVALID_ARGUMENT', `not a snapshot of ${task}`, {
      found: `${state.length} numbers${state.every(Number.isFinite) ? '' : ', not all finite'}`,
      expected: `${length} finite numbers, as snapshot gives`,
    });
}
