import type { TaskDefinition } from '../../definition.js';
import { cartpoleExpert } from './expert.js';
import { cartpoleOptions } from './options.js';
import { cartpoleActions, cartpoleObservations } from './spaces.js';

export const cartpole: TaskDefinition<typeof cartpoleOptions> = {
  name: 'cartpole',
  description: "A cart is pushed left or right so that the pole on it does not tip over (gymnasium's CartPole-v1).",
  options: cartpoleOptions,
  mujoco: false,
  create: async (options) => new (await import('./task.js')).CartPoleTask(options),
  expert: { observationSpace: cartpoleObservations, actionSpace: cartpoleActions, create: cartpoleExpert },
  preset: {
    hasSuccess: false,
    demonstrations: 3,
    steps: 1000,
    segmentSize: 100,
    updatesPerTransition: 1,
    // Without steps of its own: with them this algorithm is unstable here, from the demonstrations alone it stands.
    config: { agent: 'iq-soft-q', online: false, hiddenSizes: [64, 64], batchSize: 64, temperature: 0.01 },
    cloning: { updates: 2000 },
    evaluationEpisodes: 20,
  },
};
