import { IqLearnError } from '../common/index.js';
import type { BoxSpace, Dimension, DiscreteSpace } from './task.js';

/** A dimension without limits. */
export function unbounded(name: string, unit: string): Dimension {
  return { name, unit, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
}

/**
 * Throws INVALID_ARGUMENT for an action of wrong length, with a number that is not finite, or a discrete action that does
 * not exist. Values beyond a box's limits pass, because some tasks clamp them and others do not.
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

/** Throws INVALID_ARGUMENT for a seed that is not an integer in 0…4294967295. */
export function checkSeed(seed: number): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new IqLearnError('INVALID_ARGUMENT', 'the seed is wrong', {
      found: String(seed),
      expected: 'an integer in 0…4294967295',
    });
}

/** Throws INVALID_ARGUMENT for numbers that `snapshot` of the task, which gives `length` of them, cannot have given. */
export function checkSnapshot(task: string, state: Float64Array, length: number): void {
  if (state.length !== length || !state.every(Number.isFinite))
    throw new IqLearnError('INVALID_ARGUMENT', `not a snapshot of ${task}`, {
      found: `${state.length} numbers${state.every(Number.isFinite) ? '' : ', not all finite'}`,
      expected: `${length} finite numbers, as snapshot gives`,
    });
}
