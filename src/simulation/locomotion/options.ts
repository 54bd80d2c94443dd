import { z } from 'zod';
import { maxStepsOption } from '../definition.js';

/** Options of the locomotion tasks. */
export const locomotionOptions = z.strictObject({
  version: z
    .enum(['v4', 'v5'])
    .default('v4')
    .describe("Gymnasium's version of the task: v4 pays for being alive in every step, v5 only while healthy."),
  maxSteps: maxStepsOption(1000),
  shortestSteps: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'Where it is not 0, episodes are truncated after a number of steps that is drawn for each between this and maxSteps, its logarithm evenly: more of them begin.',
    ),
});
