import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import { blockInputs } from '../../common/index.js';
import type { TensorRecord, TensorSpec } from '../../engine/index.js';
import { type Agent, defineAgent, type RewardFunction, type Spaces } from '../agent.js';
import { valueBound } from '../losses/divergences.js';
import { iqLoss } from '../losses/iq.js';
import { needsInitialStates } from '../losses/value-terms.js';
import { allActionValues, smallest, softMaximum } from '../networks/critics.js';
import { type Blocks, ObservationEncoder } from '../networks/encoders.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { softQPolicy } from '../networks/policies.js';
import { adam } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { polyak } from '../optimiser/polyak.js';
import { linearFall } from '../optimiser/schedules.js';
import * as shared from './shared-settings.js';

const settings = {
  ...shared.batchSettings,
  ...shared.networkSettings,
  ...shared.criticSettings,
  ...shared.temperatureSetting,
  ...shared.iqSettings,
};
type Settings = z.output<z.ZodObject<typeof settings>>;

/** How the stacked critics take observations and where their parameters lie. */
interface QNetwork {
  readonly encoder: ObservationEncoder;
  readonly layout: Layout;
  readonly critics: number;
}

/** Q(s, ·) of stacked critics → [critics, rows, n]. */
function valuesOf({ encoder, critics }: QNetwork, parts: readonly tf.Tensor[], at: Blocks): tf.Tensor {
  const { features, rest } = encoder.encode(parts, at);
  return allActionValues(rest, critics, features);
}

/** Q(s, a) of the one-hot actions: [critics, rows, n] and [rows, n] → [critics, rows, 1]. */
const chosen = (all: tf.Tensor, actions: tf.Tensor): tf.Tensor =>
  tf.sum(tf.mul(all, tf.expandDims(actions, 0)), -1, true);

/**
 * One update of IQ-Learn with soft Q-learning for discrete actions (paper §4.3): there is no actor, the policy is
 * softmax(Q/T), and V is the soft maximum T log Σ_a exp(Q(s, a)/T).
 */
function update(network: QNetwork, given: Settings, rows: Agent['rows'], state: TensorRecord, batch: TensorRecord) {
  const { actions, continues } = batch as Readonly<Record<string, tf.Tensor>>;
  const { encoder, layout } = network;
  const { temperature } = given;
  const bound = given.clipTarget ? valueBound(given.divergence, given.regMult, given.gamma) : Number.POSITIVE_INFINITY;

  // y = γ (1 − d) V(s′) with the smallest of the critics' values, clipped to the divergence's bound.
  const discounts = tf.mul(continues!, given.gamma);
  const bootstrap = (parts: readonly tf.Tensor[]): tf.Tensor => {
    const v = softMaximum(valuesOf(network, parts, encoder.blocks('nextObservations', batch)), temperature);
    return tf.mul(smallest(Number.isFinite(bound) ? tf.clipByValue(v, -bound, bound) : v), discounts);
  };
  const target = given.targetNetwork ? bootstrap(splitParameters(state.target!, layout)) : undefined;

  const { gradients, values } = gradientsOf(splitParameters(state.critic!, layout), (parts) => {
    const all = valuesOf(network, parts, encoder.blocks('observations', batch));
    const q = chosen(all, actions!);
    const initial = needsInitialStates(given.valueTerm)
      ? softMaximum(valuesOf(network, parts, encoder.blocks('initialObservations', batch)), temperature)
      : undefined;
    const terms = {
      q,
      v: softMaximum(all, temperature),
      ...(initial === undefined ? {} : { v0: initial }),
      y: tf.expandDims(target ?? bootstrap(parts), 0),
      policyRows: rows.policy,
      expertRows: rows.expert,
    };
    return { ...iqLoss(terms, given), q: tf.mean(q) };
  });
  const { parameters, m, v } = adam(
    { parameters: state.critic!, m: state.criticM!, v: state.criticV! },
    joinParameters(gradients),
    batch.criticAdam!,
  );
  const { loss: critic_loss, ...metrics } = values;
  return {
    state: {
      critic: parameters,
      criticM: m,
      criticV: v,
      ...(given.targetNetwork ? { target: polyak(state.target!, parameters, given.tau) } : {}),
    },
    outputs: { critic_loss, ...metrics },
  };
}

function rewardOf(network: QNetwork, { temperature, gamma }: Settings): RewardFunction {
  return {
    entries: ['critic'],
    recover: (state, { observations, actions, nextObservations, continues }) => {
      const critic = splitParameters(state.critic!, network.layout);
      const q = smallest(chosen(valuesOf(network, critic, observations), actions));
      const v = smallest(softMaximum(valuesOf(network, critic, nextObservations), temperature));
      return tf.sub(q, tf.mul(tf.mul(continues, gamma), v));
    },
  };
}

function create(given: Settings, spaces: Spaces, horizon: number): Agent {
  const { batchSize, critics, temperature, targetNetwork } = given;
  const rows = {
    policy: given.online ? batchSize : 0,
    expert: batchSize,
    initialStates: given.initialStates,
    rewards: false,
  };
  const encoder = new ObservationEncoder(spaces.observation);
  const layout = encoder.layout(mlpLayout([encoder.width, ...given.hiddenSizes, spaces.action], critics));
  const network: QNetwork = { encoder, layout, critics };
  const flat: TensorSpec = { shape: [layout.size], dtype: 'float32' };
  const matrix = (columns: number, n = rows.policy + rows.expert): TensorSpec => ({
    shape: [n, columns],
    dtype: 'float32',
  });
  return {
    rows,
    learningRates: {
      criticAdam: (t) => given.criticLearningRate * linearFall(t, horizon, given.learningRateFloor),
    },
    program: {
      name: 'soft_q_update',
      state: { critic: flat, criticM: flat, criticV: flat, ...(targetNetwork ? { target: flat } : {}) },
      inputs: {
        ...blockInputs('observations', spaces.observation, rows.policy + rows.expert),
        actions: matrix(spaces.action),
        ...blockInputs('nextObservations', spaces.observation, rows.policy + rows.expert),
        continues: matrix(1),
        criticAdam: { shape: [2], dtype: 'float32' },
        ...(needsInitialStates(given.valueTerm)
          ? blockInputs('initialObservations', spaces.observation, batchSize)
          : {}),
      },
      step: (state, batch) => update(network, given, rows, state, batch),
    },
    initialState(random) {
      const critic = initialParameters(layout, random);
      return {
        critic,
        criticM: new Float32Array(critic.length),
        criticV: new Float32Array(critic.length),
        ...(targetNetwork ? { target: critic.slice() } : {}),
      };
    },
    deployed: ['critic'],
    policy: (state, normalisation) =>
      softQPolicy({
        encoder,
        layout,
        parameters: state.critic as Float32Array,
        critics,
        temperature,
        normalisation,
        actions: spaces.action,
      }),
    reward: rewardOf(network, given),
  };
}

/** IQ-Learn with soft Q-learning: from demonstrations, for discrete actions. */
export const iqSoftQ = defineAgent({
  summary: 'IQ-Learn with soft Q-learning: learns from demonstrations, for discrete actions',
  actions: 'discrete',
  settings,
  create,
});
