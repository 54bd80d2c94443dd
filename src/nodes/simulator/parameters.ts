import { z } from 'zod';

/** Parameters of the simulator node. */
export const simulatorSchema = z.strictObject({
  pace: z
    .enum(['lockstep', 'realtime'])
    .default('lockstep')
    .describe(
      '`lockstep`: a step for each command that answers the present state, as fast as they come; `realtime`: a step every period, with the newest command.',
    ),
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Of the seeds the simulator chooses itself.'),
  repeatMs: z
    .number()
    .min(1)
    .default(500)
    .describe(
      'In lockstep: without a command for so long, the state is published once more (a message may have been lost).',
    )
    .meta({ dynamic: true }),
  quietMs: z
    .number()
    .min(1)
    .default(5000)
    .describe(
      'In lockstep: without a command for so long, diagnostics turn to STALE. The simulation stands still meanwhile.',
    )
    .meta({ dynamic: true }),
});

export type SimulatorParameters = z.input<typeof simulatorSchema>;
