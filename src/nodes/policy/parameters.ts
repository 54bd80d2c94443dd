import { z } from 'zod';

/** Parameters of the policy node. */
export const policySchema = z.strictObject({
  pace: z
    .enum(['lockstep', 'realtime'])
    .default('lockstep')
    .describe('`lockstep`: answers each state of a simulator; `realtime`: a command every period of the steady clock.'),
  source: z
    .enum(['policy', 'teleop'])
    .default('policy')
    .describe('What drives the robot: the policy (a person may take over), or only a person.'),
  supervised: z
    .boolean()
    .default(false)
    .describe(
      'Real time: the policy drives only within the episodes that the supervisor begins. Between them, and where it is not heard, a person may drive.',
    ),
  beginPaused: z
    .boolean()
    .default(false)
    .describe('The policy does not drive before the service `resume` says so; a person may.'),
  stochastic: z
    .boolean()
    .default(false)
    .describe('Draws actions from the policy (for learning) instead of taking its mean.'),
  explore: z
    .enum(['hold', 'random'])
    .default('hold')
    .describe('Before the first policy: hold, or take random actions.'),
  randomSteps: z
    .int()
    .min(0)
    .default(0)
    .describe('So many first actions of a run are uniformly random, even where there is a policy; for learning.'),
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Seed of random actions.'),
  session: z
    .string()
    .min(1)
    .default('session')
    .describe('Name of this run as a sender of transitions; every start of a robot needs another one.'),
  synchronousSegment: z
    .int()
    .min(0)
    .default(0)
    .describe('Lockstep: waits for the learner after every so many transitions, see LockstepLoop; 0 never.'),
  transitionLimit: z
    .int()
    .min(0)
    .default(0)
    .describe('Lockstep: holds still once so many transitions were published; 0 for no limit.'),
  segmentTimeoutMs: z
    .number()
    .positive()
    .default(120_000)
    .describe('Lockstep: how long the policy of a segment is waited for.'),
  teleopWaitMs: z
    .number()
    .positive()
    .default(500)
    .describe('Lockstep: how long a person who has taken over is waited for at each step.'),
  actionPeriods: z.int().min(1).max(10).default(2).describe('Real time: periods an action may be executed for.'),
  loopLagBudgetMs: z
    .number()
    .min(0)
    .max(10_000)
    .default(0)
    .describe(
      'Real time: an event loop blocked for longer stops the robot until fresh state is there; 0: two periods of the robot, at least 100 ms.',
    ),
  estopHeartbeatMs: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'A message that the e-stop is released must arrive this often; null where the robot has no such heartbeat.',
    ),
});

export type PolicyParameters = z.input<typeof policySchema>;
