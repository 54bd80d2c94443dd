import { unknownName } from '../common/index.js';
import { parseTaskOptions, type TaskDefinition, type TaskOptions } from './definition.js';
import type { Task } from './task.js';
import { ant } from './tasks/ant/definition.js';
import { arm } from './tasks/arm/definition.js';
import { cartpole } from './tasks/cartpole/definition.js';
import { gridworld } from './tasks/gridworld/definition.js';
import { halfcheetah } from './tasks/halfcheetah/definition.js';
import { hopper } from './tasks/hopper/definition.js';
import { rover } from './tasks/rover/definition.js';
import { walker2d } from './tasks/walker2d/definition.js';

/** All tasks. To add one, write its folder in `tasks/` and a line here. */
export const taskDefinitions: readonly TaskDefinition[] = [
  rover,
  arm,
  hopper,
  halfcheetah,
  walker2d,
  ant,
  cartpole,
  gridworld,
];

/** The names of all tasks. */
export function taskNames(): string[] {
  return taskDefinitions.map(({ name }) => name);
}

/** The definition of a task. Throws NOT_FOUND, with the nearest name, for a task that does not exist. */
export function taskDefinition(name: string): TaskDefinition {
  const definition = taskDefinitions.find((known) => known.name === name);
  if (definition === undefined) throw unknownName('task', name, taskNames());
  return definition;
}

/**
 * Makes a task in this thread. Which options there are depends on the task: all have `maxSteps`, for example.
 * Throws NOT_FOUND with the nearest name for a task or an option that does not exist, INVALID_ARGUMENT for an option's
 * value that the task refuses, and UNAVAILABLE when MuJoCo does not load.
 */
export async function createTask(name: string, options: TaskOptions = {}): Promise<Task> {
  const definition = taskDefinition(name);
  return await definition.create(parseTaskOptions(definition, options));
}
