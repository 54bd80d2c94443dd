import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorRecord, TensorSpec } from '../../engine/index.js';
import { type Agent, defineAgent, type RewardFunction, type Spaces } from '../agent.js';
import { type Absorbing, absorbingOf } from '../losses/absorbing.js';
import { needsGradientPenalty, valueBound } from '../losses/divergences.js';
import { gradientPenalty } from '../losses/gradient-penalty.js';
import { iqLoss } from '../losses/iq.js';
import { needsInitialStates } from '../losses/value-terms.js';
import { allActionValues, overCritics, softMaximum } from '../networks/critics.js';
import { perceptron } from '../networks/mlp.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { softQPolicy } from '../networks/policies.js';
import { adam, adamCoefficients } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { polyak } from '../optimiser/polyak.js';
import { type Fall, linearFall } from '../optimiser/schedules.js';
import { halves } from './actor-critic.js';
import * as shared from './shared-settings.js';

const settings = shared.withDefaults(
  {
    ...shared.batchSettings,
    ...shared.networkSettings,
    ...shared.criticSettings,
    ...shared.temperatureSetting,
    ...shared.iqSettings,
    criticAveraging: z
      .number()
      .min(0)
      .max(1)
      .default(5e-3)
      .describe(
        'Rate per update of the running average of the critics, which is deployed; 0 deploys the critics themselves.',
      ),
  },
  { batchSize: 128, layerNorm: true, beta1: 0.5, temperature: 1e-3 },
);
type Settings = z.output<z.ZodObject<typeof settings>>;

type Parts = readonly tf.Tensor[];

/** Q(s, a) of the one-hot actions: [critics, rows, n] and [rows, n] → [critics, rows, 1]. */
const chosen = (all: tf.Tensor, actions: tf.Tensor): tf.Tensor =>
  tf.sum(tf.mul(all, tf.expandDims(actions, 0)), -1, true);

/**
 * V(s) of Q(s, ·): the soft maximum, or in the absorbing state Q of the first action, for there is nothing to choose.
 * [critics, rows, n] and 1 for absorbing rows [rows, 1] → [critics, rows, 1].
 */
function softValue(all: tf.Tensor, temperature: number, absorbing: tf.Tensor | undefined): tf.Tensor {
  const v = softMaximum(all, temperature);
  if (absorbing === undefined) return v;
  const flag = tf.expandDims(absorbing, 0);
  const [first] = tf.split(all, [1, all.shape[2]! - 1], 2) as [tf.Tensor, tf.Tensor];
  return tf.add(tf.mul(v, tf.sub(1, flag)), tf.mul(first, flag));
}

/** What the critics see of states: with one more entry where the absorbing state is learned, all others 0 in it. */
const entriesOf = (observations: tf.Tensor, absorbing: tf.Tensor | undefined): tf.Tensor =>
  absorbing === undefined ? observations : tf.concat([tf.mul(observations, tf.sub(1, absorbing)), absorbing], 1);

/** y of V(s′): discounted, with the value of the absorbing state after a true terminal. */
function discounted(v: tf.Tensor, continues: tf.Tensor, absorbing: Absorbing, gamma: number): tf.Tensor {
  if (absorbing === 'learned') return tf.mul(v, gamma);
  const y = tf.mul(v, tf.mul(continues, gamma));
  return absorbing.value === 0 ? y : tf.add(y, tf.mul(tf.sub(1, continues), gamma * absorbing.value));
}

/**
 * One update of IQ-Learn with soft Q-learning for discrete actions (paper §4.3): there is no actor, the policy is
 * softmax(Q/T), and V is the soft maximum T log Σ_a exp(Q(s, a)/T).
 */
function update(layout: Layout, given: Settings, rows: Agent['rows'], state: TensorRecord, batch: TensorRecord) {
  const { observations, actions, nextObservations, continues } = batch as Readonly<Record<string, tf.Tensor>>;
  const { temperature, beta1 } = given;
  const absorbing = absorbingOf(given);
  const leadsToAbsorbing = absorbing === 'learned' ? tf.sub(1, continues!) : undefined;
  const states = entriesOf(observations!, batch.absorbing);
  const nextStates = entriesOf(nextObservations!, leadsToAbsorbing);
  const bound = given.clipTarget ? valueBound(given.divergence, given.regMult, given.gamma) : Number.POSITIVE_INFINITY;

  // y = γ (1 − d) V(s′) with one value of all critics, clipped to the divergence's bound.
  const bootstrap = (parts: Parts): tf.Tensor => {
    const v = softValue(allActionValues(parts, given, nextStates), temperature, leadsToAbsorbing);
    const clipped = Number.isFinite(bound) ? tf.clipByValue(v, -bound, bound) : v;
    return discounted(overCritics(clipped, given), continues!, absorbing, given.gamma);
  };
  const target = given.targetNetwork ? bootstrap(splitParameters(state.target!, layout)) : undefined;

  // Critic: A + B + C of r = Q(s, a) − y and of V in the states of the value term, s or s₀.
  const { gradients, values } = gradientsOf(splitParameters(state.critic!, layout), (parts) => {
    const all = allActionValues(parts, given, states);
    const q = chosen(all, actions!);
    const terms = {
      q,
      v: softValue(all, temperature, batch.absorbing),
      ...initialValue(parts, given, absorbing, batch.initialObservations),
      y: tf.expandDims(target ?? bootstrap(parts), 0),
      policyRows: rows.policy,
      expertRows: rows.expert,
    };
    const { loss, ...rewards } = iqLoss(terms, given);
    const penalty = batch.mixing && penaltyOf(parts, given, states, batch.mixing);
    return { loss: penalty ? tf.add(loss, tf.mul(penalty, given.gradientPenalty)) : loss, ...rewards, q: tf.mean(q) };
  });
  const { parameters, m, v } = adam(
    { parameters: state.critic!, m: state.criticM!, v: state.criticV! },
    joinParameters(gradients),
    batch.criticAdam!,
    beta1,
  );
  const { loss: critic_loss, ...metrics } = values;
  return {
    state: {
      critic: parameters,
      criticM: m,
      criticV: v,
      ...(given.targetNetwork ? { target: polyak(state.target!, parameters, given.tau) } : {}),
      ...(given.criticAveraging > 0 ? { average: polyak(state.average!, parameters, given.criticAveraging) } : {}),
    },
    outputs: { critic_loss, ...metrics },
  };
}

/** V(s₀), where a batch has initial states. */
function initialValue(parts: Parts, given: Settings, absorbing: Absorbing, observations: tf.Tensor | undefined) {
  if (observations === undefined) return {};
  const flag = absorbing === 'learned' ? tf.zeros([observations.shape[0]!, 1]) : undefined;
  return { v0: softMaximum(allActionValues(parts, given, entriesOf(observations, flag)), given.temperature) };
}

/** The gradient penalty of V on states between expert rows and policy rows of a batch; see gradient-penalty.ts. */
function penaltyOf(parts: Parts, given: Settings, states: tf.Tensor, mixing: tf.Tensor): tf.Tensor {
  const [policy, expert] = halves(states, mixing.shape[0]!);
  const v = (x: tf.Tensor): tf.Tensor => softMaximum(perceptron(parts, x, given.layerNorm), given.temperature);
  return gradientPenalty(v, given.critics, expert, policy, mixing);
}

function rewardOf(layout: Layout, given: Settings): RewardFunction {
  const { temperature, gamma } = given;
  const absorbing = absorbingOf(given);
  return {
    entries: ['critic'],
    recover: (state, { observations, actions, nextObservations, continues }) => {
      const critic = splitParameters(state.critic!, layout);
      const live = absorbing === 'learned' ? tf.zeros([observations.shape[0]!, 1]) : undefined;
      const next = absorbing === 'learned' ? tf.sub(1, continues) : undefined;
      const q = chosen(allActionValues(critic, given, entriesOf(observations, live)), actions);
      const v = softValue(allActionValues(critic, given, entriesOf(nextObservations, next)), temperature, next);
      return tf.sub(overCritics(q, given), discounted(overCritics(v, given), continues, absorbing, gamma));
    },
  };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const { batchSize, critics, temperature, targetNetwork } = given;
  const rows = {
    policy: given.online ? batchSize : 0,
    expert: batchSize,
    initialStates: given.initialStates,
    rewards: false,
  };
  const averaged = given.criticAveraging > 0;
  const entries = spaces.observation + (given.absorbing === 'learned' ? 1 : 0);
  const layout = mlpLayout([entries, ...given.hiddenSizes, spaces.action], critics);
  const flat: TensorSpec = { shape: [layout.size], dtype: 'float32' };
  const matrix = (columns: number, n = rows.policy + rows.expert): TensorSpec => ({
    shape: [n, columns],
    dtype: 'float32',
  });
  return {
    rows,
    adam: {
      criticAdam: (t) =>
        adamCoefficients(t, given.criticLearningRate * linearFall(t, fall, given.learningRateFloor), given.beta1),
    },
    program: {
      name: 'soft_q_update',
      state: {
        critic: flat,
        criticM: flat,
        criticV: flat,
        ...(targetNetwork ? { target: flat } : {}),
        ...(averaged ? { average: flat } : {}),
      },
      inputs: {
        observations: matrix(spaces.observation),
        actions: matrix(spaces.action),
        nextObservations: matrix(spaces.observation),
        continues: matrix(1),
        ...(given.absorbing === 'learned' ? { absorbing: matrix(1) } : {}),
        ...(needsGradientPenalty(given.divergence) ? { mixing: matrix(1, batchSize) } : {}),
        criticAdam: { shape: [2], dtype: 'float32' },
        ...(needsInitialStates(given.valueTerm) ? { initialObservations: matrix(spaces.observation, batchSize) } : {}),
      },
      step: (state, batch) => update(layout, given, rows, state, batch),
    },
    initialState(random) {
      const critic = initialParameters(layout, random);
      return {
        critic,
        criticM: new Float32Array(critic.length),
        criticV: new Float32Array(critic.length),
        ...(targetNetwork ? { target: critic.slice() } : {}),
        ...(averaged ? { average: critic.slice() } : {}),
      };
    },
    deployed: averaged ? 'average' : 'critic',
    acting: 'critic',
    policy: (parameters, normalisation) =>
      softQPolicy({
        layout,
        parameters,
        absorbingEntry: given.absorbing === 'learned',
        form: given,
        temperature,
        normalisation,
        actions: spaces.action,
      }),
    reward: rewardOf(layout, given),
  };
}

/** IQ-Learn with soft Q-learning: from demonstrations, for discrete actions. */
export const iqSoftQ = defineAgent({
  summary: 'IQ-Learn with soft Q-learning: learns from demonstrations, for discrete actions',
  actions: 'discrete',
  settings,
  create,
});
