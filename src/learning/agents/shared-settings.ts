import { z } from 'zod';
import { divergenceNames } from '../losses/divergences.js';
import { valueTermNames } from '../losses/value-terms.js';

/** Settings that several agents have in common: each agent's schema takes the ones it uses. */

/** A learning rate of Adam. A step is as large as the rate, whatever the gradient: beyond 100 nothing is left of a network. */
export const learningRate = (usual: number) => z.number().gt(0).max(100).default(usual);

/** The same settings with other defaults. */
export function withDefaults<Shape extends Readonly<Record<string, z.ZodDefault>>>(
  shape: Shape,
  defaults: { readonly [Name in keyof Shape]?: z.output<Shape[Name]> },
): Shape {
  const changed = Object.entries(defaults).map(([name, value]) => {
    const schema = shape[name]! as z.ZodDefault<z.ZodType>;
    return [name, schema.unwrap().default(value).describe(schema.description!)];
  });
  return { ...shape, ...Object.fromEntries(changed) };
}

export const batchSettings = {
  batchSize: z
    .int()
    .min(1)
    .max(65536)
    .default(256)
    .describe('Rows per batch of every source that the agent uses (policy, expert, initial states).'),
};

export const networkSettings = {
  hiddenSizes: z
    .array(z.int().min(1).max(4096))
    .min(1)
    .max(8)
    .default([256, 256])
    .describe('Widths of the hidden layers of every network (ReLU).'),
};

export const gaussianSettings = {
  logStdRange: z
    .tuple([z.number().min(-20).max(10), z.number().min(-20).max(10)])
    .refine(([low, high]) => low < high, 'low < high')
    .default([-5, 2])
    .describe('The range into which the log σ of the Gaussian policy is squashed.'),
  actionClip: z
    .number()
    .gt(0)
    .max(1)
    .default(0.999)
    .describe(
      "Actions of expert and policy are clipped to ± this value, so that their value before the policy's tanh is finite.",
    ),
};

export const adamSettings = {
  beta1: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9)
    .describe("Decay rate β₁ of Adam's first moment, for every network: the momentum."),
};

export const criticSettings = {
  ...adamSettings,
  gamma: z.number().gt(0).lt(1).default(0.99).describe('Discount γ.'),
  tau: z.number().gt(0).max(1).default(0.005).describe('Polyak rate τ of the target critics.'),
  targetNetwork: z
    .boolean()
    .default(true)
    .describe('False bootstraps from the critic itself and lets the gradient flow through y (full gradient).'),
  critics: z.int().min(1).max(16).default(1).describe('Number of critics.'),
  criticReduction: z
    .enum(['minimum', 'mean'])
    .default('minimum')
    .describe('How the values of several critics become one: their minimum (clipped double Q) or their mean.'),
  layerNorm: z
    .boolean()
    .default(false)
    .describe('Layer normalisation before every ReLU of the critics; without it Q may run away from the data.'),
  criticLearningRate: learningRate(3e-4).describe("Adam's learning rate of the critics."),
  learningRateFloor: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('The learning rates fall linearly to this fraction over `decayUpdates` updates; 1 keeps them constant.'),
};

export const temperatureSetting = {
  temperature: z
    .number()
    .gt(0)
    .max(100)
    .default(0.01)
    .describe('Entropy temperature T; its initial value where it is learned.'),
};

export const criticAveragingSetting = {
  criticAveraging: z
    .number()
    .min(0)
    .max(1)
    .default(5e-3)
    .describe(
      'Rate per update of the running average of the critics, which is deployed; 0 deploys the critics themselves.',
    ),
};

export const actorSettings = {
  ...temperatureSetting,
  learnTemperature: z
    .boolean()
    .default(false)
    .describe('Learns T towards `targetEntropy`. Right for plain SAC; known to make IQ-Learn unstable.'),
  targetEntropy: z
    .number()
    .min(-1e4)
    .max(1e4)
    .nullable()
    .default(null)
    .describe('Target entropy in nats; null means −dim(A).'),
  actorLearningRate: learningRate(3e-5).describe("Adam's learning rate of the actor."),
  temperatureLearningRate: learningRate(3e-4).describe("Adam's learning rate of log T."),
  actorDelay: z
    .int()
    .min(0)
    .max(100_000_000)
    .default(0)
    .describe('Updates of the critic alone before the actor moves: an untrained critic would spoil a cloned actor.'),
  actorAveraging: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Rate per update of the running average of the actor, which is deployed; 0 deploys the actor itself.'),
};

export const cloningSetting = {
  cloningWeight: z
    .number()
    .min(0)
    .max(1e4)
    .default(0)
    .describe(
      "Weight in the actor's loss of the squared error between its mean action and the demonstrated one, summed over the action: it holds what was shown while critic and actor chase each other. Only where the actions were shown.",
    ),
};

export const iqSettings = {
  online: z
    .boolean()
    .default(true)
    .describe("False learns from the demonstrations alone: no policy rows in a batch (use valueTerm 'value_expert')."),
  expertActions: z
    .enum(['shown', 'policy', 'inverse-dynamics'])
    .default('shown')
    .describe(
      'Where the actions of demonstrations come from: as shown; or, where they were not seen, the actions of the policy, or those that a learned inverse model of the dynamics infers from two states.',
    ),
  inverseDynamicsLearningRate: learningRate(1e-3).describe(
    "Adam's learning rate of the inverse model of the dynamics.",
  ),
  divergence: z
    .enum(divergenceNames)
    .default('chi2-mix')
    .describe('Divergence between the occupancies of expert and policy. chi2-mix regularises the rows of both.'),
  regMult: z
    .number()
    .min(1e-4)
    .max(1e4)
    .default(10)
    .describe('Weight c of the regulariser c·mean[r²]: rewards are within ±1/c, values within ±1/(c(1−γ)).'),
  valueTerm: z
    .enum(valueTermNames)
    .default('value_policy')
    .describe(
      'Estimator of (1−γ) E_p0[V]: policy rows, expert and policy rows (value), expert rows, or initial states (v0).',
    ),
  absorbing: z
    .enum(['learned', 'bound', 'zero', 'number'])
    .default('learned')
    .describe(
      'Value of the absorbing state that follows a true terminal state: learned by the critic, the lower bound on Q that the divergence implies, 0, or absorbingValue.',
    ),
  absorbingValue: z
    .number()
    .min(-1e6)
    .max(1e6)
    .default(0)
    .describe("Value of the absorbing state where absorbing is 'number'."),
  gradientPenalty: z
    .number()
    .min(0)
    .max(1e4)
    .default(10)
    .describe('Weight λ of the gradient penalty of the Wasserstein divergences.'),
  initialStates: z
    .enum(['first', 'all'])
    .default('first')
    .describe("For valueTerm v0: the demonstrations' first states, or every expert state taken as a possible start."),
  clipTarget: z
    .boolean()
    .default(true)
    .describe('Clips the bootstrapped V(s′) to the bound on |Q| that the divergence implies, for χ² ±1/(c(1−γ)).'),
};
