import { IqLearnError, unknownName } from '../common/index.js';
import type { TaskOptions } from './definition.js';
import { environmentOf, type OpenEnvironment } from './environment.js';
import { createTask, taskNames } from './registry.js';

/** What the name of a gymnasium environment begins with: `gym:CartPole-v1`. */
const GYM = 'gym:';

/**
 * The environment of a task of this package (`hopper`), or of gymnasium (`gym:Pendulum-v1`), with its options. Throws
 * NOT_FOUND with the nearest name for a task that does not exist, and what makes the task or connects to gymnasium throws.
 */
export async function openEnvironment(name: string, options: TaskOptions = {}): Promise<OpenEnvironment> {
  if (name.startsWith(GYM)) {
    const id = name.slice(GYM.length);
    if (id === '')
      throw new IqLearnError('INVALID_ARGUMENT', 'the gymnasium environment has no name', {
        found: `'${name}'`,
        expected: 'gym: and an id, e.g. gym:CartPole-v1',
      });
    const { Gymnasium, gymnasiumEnvironment } = await import('./bridges/gymnasium.js');
    const gymnasium = await Gymnasium.connect(id, { options });
    try {
      return gymnasiumEnvironment(gymnasium);
    } catch (error) {
      await gymnasium.close();
      throw error;
    }
  }
  if (!taskNames().includes(name)) throw unknownName('task', name, [...taskNames(), 'gym:<id>']);
  const task = await createTask(name, options);
  return { ...environmentOf(task), close: async () => task.close() };
}
