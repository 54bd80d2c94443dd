import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorRecord, TensorSpec } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { gaussianPolicy } from '../networks/policies.js';
import { logProbability, policyGaussian } from '../networks/squashed-gaussian.js';
import { adam, adamCoefficients } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { type Fall, linearFall } from '../optimiser/schedules.js';
import { batchSettings, gaussianSettings, networkSettings } from './shared-settings.js';

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
  learningRate: z.number().gt(0).default(1e-3).describe("Adam's learning rate."),
  learningRateFloor: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe('The learning rate falls linearly to this fraction over `decayUpdates` updates.'),
};
type Settings = z.output<z.ZodObject<typeof settings>>;

/** One update of behavioural cloning with the actor network of SAC, so that a comparison is of algorithms alone. */
function update(layout: Layout, { loss, logStdRange }: Settings, state: TensorRecord, batch: TensorRecord) {
  const { gradients, values } = gradientsOf(splitParameters(state.actor!, layout), (parts) => {
    const policy = policyGaussian(parts, batch.observations!, logStdRange);
    return {
      loss:
        loss === 'nll'
          ? tf.neg(tf.mean(logProbability(policy, batch.actions!)))
          : tf.mean(tf.square(tf.sub(tf.tanh(policy.mean), batch.actions!))),
    };
  });
  const { parameters, m, v } = adam(
    { parameters: state.actor!, m: state.actorM!, v: state.actorV! },
    joinParameters(gradients),
    batch.actorAdam!,
  );
  return { state: { actor: parameters, actorM: m, actorV: v }, outputs: { actor_loss: values.loss } };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const { batchSize, actionClip, logStdRange } = given;
  const layout = mlpLayout([spaces.observation, ...given.hiddenSizes, 2 * spaces.action]);
  const flat: TensorSpec = { shape: [layout.size], dtype: 'float32' };
  return {
    rows: { policy: 0, expert: batchSize, initialStates: 'first', rewards: false },
    actionClip,
    adam: {
      // The falling rate averages the noise of the last batches out.
      actorAdam: (t) => adamCoefficients(t, given.learningRate * linearFall(t, fall, given.learningRateFloor)),
    },
    program: {
      name: 'behavioural_cloning_update',
      state: { actor: flat, actorM: flat, actorV: flat },
      inputs: {
        observations: { shape: [batchSize, spaces.observation], dtype: 'float32' },
        actions: { shape: [batchSize, spaces.action], dtype: 'float32' },
        actorAdam: { shape: [2], dtype: 'float32' },
      },
      step: (state, batch) => update(layout, given, state, batch),
    },
    initialState(random) {
      const actor = initialParameters(layout, random);
      return { actor, actorM: new Float32Array(actor.length), actorV: new Float32Array(actor.length) };
    },
    deployed: 'actor',
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
