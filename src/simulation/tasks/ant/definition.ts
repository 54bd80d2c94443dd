import { z } from 'zod';
import type { TaskDefinition } from '../../definition.js';
import { locomotionOptions } from '../../locomotion/options.js';
import { oneDemonstration } from '../../training-settings.js';
import { antRules } from './robot.js';

const options = locomotionOptions.extend({
  version: z
    .enum(['v4'])
    .default('v4')
    .describe("Gymnasium's version of the task: v4 without contact forces. There is no v5 here, which observes them."),
});

export const ant: TaskDefinition<typeof options> = {
  name: 'ant',
  description: "A four-legged robot runs forward (gymnasium's Ant, without contact forces).",
  options,
  mujoco: true,
  create: async (options) =>
    (await import('../../locomotion/locomotion.js')).LocomotionTask.create('ant', antRules, options),
  preset: {
    ...oneDemonstration,
    // Eight joints take longer to learn than the hopper's three.
    steps: 300_000,
    // An ant that has turned over lies at an allowed height, so its fall does not end the episode, as with halfcheetah.
    config: { agent: 'iq-sac', observationNoise: 0.05 },
  },
};
