import { z } from 'zod';

export const learnerSchema = z.strictObject({
  segmentSize: z
    .int()
    .min(1)
    .max(100_000)
    .default(64)
    .describe('Transitions per segment: learning takes them in this many at a time, and makes a policy after each.'),
  maxSessions: z
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe('Senders of transitions that are remembered; the oldest is forgotten.'),
  saveOnShutdown: z.boolean().default(true).describe('Whether shutting down writes a checkpoint.'),
  learnFromInterventions: z
    .boolean()
    .default(false)
    .describe('Whether what a person does after taking over counts as a demonstration.')
    .meta({ dynamic: true }),
  recoveredRewardRateHz: z
    .number()
    .min(0)
    .max(10)
    .default(0)
    .describe(
      'How often per second the reward that the critic implies is published for the newest transition. It costs learning time; 0 for never.',
    ),
});

export type LearnerParameters = z.input<typeof learnerSchema>;
