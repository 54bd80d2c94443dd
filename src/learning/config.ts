import { z } from 'zod';
import { IqLearnError } from '../common/index.js';

/**
 * Settings of the learners. Defaults are those of the algorithm's literature that hold on every task tried here
 * (docs/decisions): one critic, χ² on the expert + policy mix, a low fixed temperature, targets clipped to the bound
 * that the regulariser implies.
 */
export const learnerConfigSchema = z.strictObject({
  online: z
    .boolean()
    .default(true)
    .describe("False learns from the demonstrations alone: no policy data in a batch (use valueTerm 'value_expert')."),
  hiddenSizes: z
    .array(z.int().min(1).max(4096))
    .min(1)
    .max(8)
    .default([256, 256])
    .describe('Widths of the hidden layers of actor and critics (ReLU).'),
  gamma: z.number().gt(0).lt(1).default(0.99).describe('Discount γ.'),
  tau: z.number().gt(0).max(1).default(0.005).describe('Polyak rate τ of the target critics.'),
  targetNetwork: z
    .boolean()
    .default(true)
    .describe('False bootstraps from the critic itself and lets the gradient through y (full gradient).'),
  critics: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('Critics; the smallest counts where there are two.'),
  regMult: z.number().min(0).default(0.5).describe('Weight c of the χ² regulariser c·mean[r²].'),
  regularise: z
    .enum(['mix', 'expert'])
    .default('mix')
    .describe("Rows the regulariser is taken over: expert + policy (stable), or expert only (the paper's Eq. 12)."),
  valueTerm: z
    .enum(['value', 'value_expert', 'v0'])
    .default('value')
    .describe('Estimator of (1−γ) E_p0[V]: on expert + policy rows, expert rows, or initial states.'),
  initialStates: z
    .enum(['first', 'all'])
    .default('first')
    .describe("For `v0`: the demonstrations' first states, or every expert state taken as a possible start."),
  clipTarget: z
    .boolean()
    .default(true)
    .describe('Clips the bootstrapped V(s′) to ±1/(c(1−γ)), the bound on Q under the mix regulariser.'),
  temperature: z.number().gt(0).default(0.01).describe('Entropy temperature T (the start value where it is learned).'),
  learnTemperature: z
    .boolean()
    .default(false)
    .describe('Learns T towards targetEntropy. Known to hurt IQ-Learn; right for plain SAC.'),
  targetEntropy: z.number().nullable().default(null).describe('H̄ in nats; null means −dim(A).'),
  warmStartUpdates: z
    .int()
    .min(0)
    .default(0)
    .describe('Updates of behavioural cloning the actor starts from; 0 starts it at random.'),
  actorDelay: z
    .int()
    .min(0)
    .default(0)
    .describe('Updates of the critic alone before the actor moves: a cloned actor would be spoilt by a random critic.'),
  actorLearningRate: z.number().gt(0).default(3e-5).describe('Of Adam.'),
  criticLearningRate: z.number().gt(0).default(3e-4).describe('Of Adam.'),
  temperatureLearningRate: z.number().gt(0).default(3e-4).describe('Of Adam.'),
  learningRateFloor: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Both learning rates fall linearly to this fraction over `decayUpdates` updates; 1 keeps them.'),
  decayUpdates: z
    .int()
    .min(1)
    .default(1_000_000)
    .describe('Updates after which learning rates and noise have reached their floors.'),
  batchSize: z
    .int()
    .min(1)
    .max(65536)
    .default(256)
    .describe('Rows of policy data a batch; as many expert rows are added.'),
  bufferSize: z.int().min(1).max(10_000_000).default(1_000_000).describe('Policy transitions the replay buffer holds.'),
  observationNoise: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Deviation of the Gaussian noise added to every normalised observation of a batch, expert and policy alike. It keeps the critic from telling a few demonstrations from the policy by heart; 0 adds none.',
    ),
  observationNoiseFloor: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('The noise falls linearly to this fraction of it over `decayUpdates` updates; 1 keeps it.'),
  logStdRange: z.tuple([z.number(), z.number()]).default([-5, 2]).describe('log σ is squashed into this range.'),
  actionClip: z
    .number()
    .gt(0)
    .max(1)
    .default(0.999)
    .describe('Expert actions are clipped to ±this, so that their pre-squash value is finite.'),
  actorAveraging: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Rate of the running average of the actor that is deployed; 0 deploys the actor itself.'),
});

export type LearnerConfig = z.output<typeof learnerConfigSchema>;
export type LearnerSettings = z.input<typeof learnerConfigSchema>;

/** Settings → complete configuration. Throws INVALID_CONFIG naming the field, what was found and what is allowed. */
export function learnerConfig(settings: LearnerSettings = {}): LearnerConfig {
  const parsed = learnerConfigSchema.safeParse(settings);
  if (parsed.success) {
    const [low, high] = parsed.data.logStdRange;
    if (low < high) return parsed.data;
    throw new IqLearnError('INVALID_CONFIG', 'bad learner setting logStdRange', {
      found: `[${low}, ${high}]`,
      expected: 'low < high',
      remedy: 'swap the two numbers',
    });
  }
  const issue = parsed.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new IqLearnError('INVALID_CONFIG', `bad learner setting${path === '' ? '' : ` ${path}`}`, {
    found: path === '' ? JSON.stringify(settings) : JSON.stringify((settings as Record<string, unknown>)[path]),
    expected: issue?.message ?? 'a valid setting',
    remedy: 'see src/learning/config.ts for every setting and its range',
  });
}
