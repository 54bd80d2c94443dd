import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { mlpLayout } from '../networks/parameters.js';
import { gaussianPolicy } from '../networks/policies.js';
import { logProbability, policyGaussian } from '../networks/squashed-gaussian.js';
import type { Fall } from '../optimiser/schedules.js';
import { batchSettings, gaussianSettings, networkSettings } from './shared-settings.js';
import { supervisedActor, supervisedSettings } from './supervised-actor.js';

const settings = {
  ...batchSettings,
  ...networkSettings,
  ...gaussianSettings,
  loss: z
    .enum(['mse', 'nll'])
    .default('mse')
    .describe(
      "mse regresses the policy's mean action tanh(μ) on the expert's; nll maximises the likelihood of its action.",
    ),
  ...supervisedSettings,
};
type Settings = z.output<z.ZodObject<typeof settings>>;

/** The loss of behavioural cloning with the actor network of SAC, so that a comparison is of algorithms alone. */
function lossOf({ loss, logStdRange }: Settings, actor: readonly tf.Tensor[], batch: TensorRecord): tf.Tensor {
  const policy = policyGaussian(actor, batch.observations!, logStdRange);
  return loss === 'nll'
    ? tf.neg(tf.mean(logProbability(policy, batch.actions!)))
    : tf.mean(tf.square(tf.sub(tf.tanh(policy.mean), batch.actions!)));
}

function create(settings: Settings, spaces: Spaces, fall: Fall): Agent {
  const { actionClip, logStdRange, hiddenSizes } = settings;
  const layout = mlpLayout([spaces.observation, ...hiddenSizes, 2 * spaces.action], 0, spaces.images);
  const loss = (actor: readonly tf.Tensor[], batch: TensorRecord) => lossOf(settings, actor, batch);
  return {
    ...supervisedActor({ name: 'behavioural_cloning_update', layout, settings, spaces, fall, loss }),
    actionClip,
    policy: (parameters, normalisation) =>
      gaussianPolicy({
        layout,
        parameters,
        normalisation,
        logStdRange,
        actionSize: spaces.action,
      }),
  };
}

/** Behavioural cloning: supervised learning of the expert's actions, the baseline of every imitation. */
export const cloning = defineAgent({
  summary: "behavioural cloning: regresses the expert's actions, for continuous actions",
  actions: 'continuous',
  settings,
  streams: 'cloning ',
  create,
});
