import { z } from 'zod';

/** Options of the rover's task. */
export const roverOptions = z.strictObject({
  maxSteps: z
    .int()
    .min(1)
    .optional()
    .describe('Control steps of 0.1 s until the episode is truncated: 150, or 600 on a tour, if not given.'),
  blockedShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe('Share of the goals to which the straight way is blocked by an obstacle.'),
  tour: z
    .boolean()
    .default(false)
    .describe(
      'A new goal appears on the other side whenever the rover has stood at the present one for half a second.',
    ),
});
