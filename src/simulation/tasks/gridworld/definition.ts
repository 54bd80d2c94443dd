import type { TaskDefinition } from '../../definition.js';
import { gridworldOptions } from './options.js';

export const gridworld: TaskDefinition<typeof gridworldOptions> = {
  name: 'gridworld',
  description: 'An agent on a 5 × 5 grid is paid for being in one of two opposite corners.',
  options: gridworldOptions,
  mujoco: false,
  create: async (options) => new (await import('./task.js')).GridworldTask(options),
};
