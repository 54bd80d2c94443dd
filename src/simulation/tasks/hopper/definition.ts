import type { TaskDefinition } from '../../definition.js';
import { locomotionOptions } from '../../locomotion/options.js';
import { oneDemonstration } from '../../training-settings.js';
import { hopperRules } from './robot.js';

export const hopper: TaskDefinition<typeof locomotionOptions> = {
  name: 'hopper',
  description: "A one-legged robot hops forward without falling (gymnasium's Hopper).",
  options: locomotionOptions,
  mujoco: true,
  create: async (options) =>
    (await import('../../locomotion/locomotion.js')).LocomotionTask.create('hopper', hopperRules, options),
  preset: {
    ...oneDemonstration,
    demonstrations: 5,
    steps: 12_000,
    config: {
      agent: 'iq-sac',
      bufferSize: 1_000_000,
      batchSize: 128,
      // The episode ends when the robot falls. Of the estimators of the value term only this one does not teach it to fall.
      valueTerm: 'v0',
      initialStates: 'all',
      warmStartUpdates: 10_000,
      actorDelay: 2000,
      actorLearningRate: 1e-5,
      actorAveraging: 1e-3,
      learningRateFloor: 0.05,
    },
    cloning: { updates: 10_000 },
  },
};
