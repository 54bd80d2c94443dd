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
  preset: oneDemonstration,
};
