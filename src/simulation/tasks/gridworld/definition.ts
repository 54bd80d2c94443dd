import type { TaskDefinition } from '../../definition.js';
import { gridworldExpert, gridworldExpertSettings } from './expert.js';
import { gridworldOptions } from './options.js';
import { gridworldActions, gridworldObservations } from './spaces.js';

export const gridworld: TaskDefinition<typeof gridworldOptions> = {
  name: 'gridworld',
  description: 'An agent on a 5 × 5 grid is paid for being in one of two opposite corners.',
  options: gridworldOptions,
  mujoco: false,
  create: async (options) => new (await import('./task.js')).GridworldTask(options),
  expert: { observationSpace: gridworldObservations, actionSpace: gridworldActions, create: gridworldExpert },
  preset: {
    hasSuccess: false,
    demonstrations: 20,
    steps: 3000,
    randomSteps: 100,
    segmentSize: 50,
    updatesPerTransition: 1,
    config: {
      agent: 'iq-soft-q',
      hiddenSizes: [64],
      batchSize: 64,
      bufferSize: 50_000,
      gamma: gridworldExpertSettings.gamma,
      temperature: gridworldExpertSettings.temperature,
    },
    cloning: { updates: 2000 },
    evaluationEpisodes: 20,
  },
};
