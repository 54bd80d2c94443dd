import { z } from 'zod';
import { maxStepsOption } from '../../definition.js';

/** Options of the gridworld. */
export const gridworldOptions = z.strictObject({
  slip: z.number().min(0).max(1).default(0).describe('Chance that a uniformly random action is taken instead.'),
  maxSteps: maxStepsOption(50),
});
