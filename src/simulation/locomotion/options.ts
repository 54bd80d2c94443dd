import { z } from 'zod';
import { maxStepsOption } from '../definition.js';

/** Options of the locomotion tasks. */
export const locomotionOptions = z.strictObject({
  version: z
    .enum(['v4', 'v5'])
    .default('v4')
    .describe("Gymnasium's version of the task: v4 pays for being alive in every step, v5 only while healthy."),
  maxSteps: maxStepsOption(1000),
});
