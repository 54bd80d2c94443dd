import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { perceptron } from '../networks/mlp.js';
import { mlpLayout } from '../networks/parameters.js';
import { softQPolicy } from '../networks/policies.js';
import type { Fall } from '../optimiser/schedules.js';
import { batchSettings, networkSettings } from './shared-settings.js';
import { supervisedActor, supervisedSettings } from './supervised-actor.js';

const settings = {
  ...batchSettings,
  ...networkSettings,
  ...supervisedSettings,
};
type Settings = z.output<z.ZodObject<typeof settings>>;

/** Maximum likelihood: −E_E[log π(a|s)] of a softmax over the actions. */
function lossOf(actor: readonly tf.Tensor[], batch: TensorRecord): tf.Tensor {
  const logits = tf.squeeze(perceptron(actor, tf.expandDims(batch.observations!, 0)), [0]);
  return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), batch.actions!), -1)));
}

function create(settings: Settings, spaces: Spaces, fall: Fall): Agent {
  const layout = mlpLayout([spaces.observation, ...settings.hiddenSizes, spaces.action], 1, spaces.images);
  return {
    ...supervisedActor({ name: 'discrete_cloning_update', layout, settings, spaces, fall, loss: lossOf }),
    policy: (parameters, normalisation) =>
      softQPolicy({
        layout,
        parameters,
        absorbingEntry: false,
        form: { critics: 1, layerNorm: false },
        temperature: 1,
        normalisation,
        actions: spaces.action,
      }),
  };
}

/** Behavioural cloning where actions are discrete: the baseline of every imitation. */
export const cloningDiscrete = defineAgent({
  summary: "behavioural cloning: maximises the likelihood of the expert's actions, for discrete actions",
  actions: 'discrete',
  settings,
  streams: 'cloning ',
  create,
});
