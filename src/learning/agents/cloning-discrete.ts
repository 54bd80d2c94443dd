import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorRecord, TensorSpec } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { perceptron } from '../networks/mlp.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { softQPolicy } from '../networks/policies.js';
import { adam, adamCoefficients } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { type Fall, linearFall } from '../optimiser/schedules.js';
import { matrix } from './actor-critic.js';
import { batchSettings, networkSettings } from './shared-settings.js';

const settings = {
  ...batchSettings,
  ...networkSettings,
  learningRate: z.number().gt(0).default(1e-3).describe("Adam's learning rate."),
  learningRateFloor: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe('The learning rate falls linearly to this fraction over `decayUpdates` updates.'),
};
type Settings = z.output<z.ZodObject<typeof settings>>;

/** One update of behavioural cloning by maximum likelihood: −E_E[log π(a|s)] of a softmax over the actions. */
function update(layout: Layout, state: TensorRecord, batch: TensorRecord) {
  const { gradients, values } = gradientsOf(splitParameters(state.actor!, layout), (parts) => {
    const logits = tf.squeeze(perceptron(parts, tf.expandDims(batch.observations!, 0)), [0]);
    return { loss: tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), batch.actions!), -1))) };
  });
  const { parameters, m, v } = adam(
    { parameters: state.actor!, m: state.actorM!, v: state.actorV! },
    joinParameters(gradients),
    batch.actorAdam!,
  );
  return { state: { actor: parameters, actorM: m, actorV: v }, outputs: { actor_loss: values.loss } };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const { batchSize } = given;
  const layout = mlpLayout([spaces.observation, ...given.hiddenSizes, spaces.action], 1);
  const flat: TensorSpec = { shape: [layout.size], dtype: 'float32' };
  return {
    rows: { policy: 0, expert: batchSize, initialStates: 'first', rewards: false },
    adam: {
      // The falling rate averages the noise of the last batches out.
      actorAdam: (t) => adamCoefficients(t, given.learningRate * linearFall(t, fall, given.learningRateFloor)),
    },
    program: {
      name: 'discrete_cloning_update',
      state: { actor: flat, actorM: flat, actorV: flat },
      inputs: {
        observations: matrix(batchSize, spaces.observation),
        actions: matrix(batchSize, spaces.action),
        actorAdam: { shape: [2], dtype: 'float32' },
      },
      step: (state, batch) => update(layout, state, batch),
    },
    initialState(random) {
      const actor = initialParameters(layout, random);
      return { actor, actorM: new Float32Array(actor.length), actorV: new Float32Array(actor.length) };
    },
    deployed: 'actor',
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
