import { z } from 'zod';

/** Options of the arm's task. */
export const armOptions = z.strictObject({
  maxSteps: z
    .int()
    .min(1)
    .optional()
    .describe('Control steps of 0.1 s until the episode is truncated: 120, or 600 on a tour, if not given.'),
  tour: z
    .boolean()
    .default(false)
    .describe('Puck, arm and goal are set up anew whenever the puck has lain at the goal for a second.'),
});
