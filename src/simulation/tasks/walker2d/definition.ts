import type { TaskDefinition } from '../../definition.js';
import { locomotionOptions } from '../../locomotion/options.js';
import { oneDemonstration } from '../../training-settings.js';
import { walkerRules } from './robot.js';

export const walker2d: TaskDefinition<typeof locomotionOptions> = {
  name: 'walker2d',
  description: "A two-legged planar robot walks forward without falling (gymnasium's Walker2d).",
  options: locomotionOptions,
  mujoco: true,
  create: async (options) =>
    (await import('../../locomotion/locomotion.js')).LocomotionTask.create(
      'walker2d',
      walkerRules(options.version),
      options,
    ),
  preset: {
    ...oneDemonstration,
    steps: 80_000,
    // With half the rows or one critic, what was learned is lost again and again; the slower average falls in fewer starts
    // (docs/decisions/0020).
    config: { agent: 'iq-sac', batchSize: 256, critics: 2, actorAveraging: 2e-4 },
  },
};
