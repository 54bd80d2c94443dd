import type { TaskDefinition } from '../../definition.js';
import { cartpoleOptions } from './options.js';

export const cartpole: TaskDefinition<typeof cartpoleOptions> = {
  name: 'cartpole',
  description: "A cart is pushed left or right so that the pole on it does not tip over (gymnasium's CartPole-v1).",
  options: cartpoleOptions,
  mujoco: false,
  create: async (options) => new (await import('./task.js')).CartPoleTask(options),
};
