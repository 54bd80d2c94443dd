import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { absorbingOf } from '../losses/absorbing.js';
import { needsGradientPenalty, targetBound, valueLimits } from '../losses/divergences.js';
import { iqLoss } from '../losses/iq.js';
import { needsInitialStates } from '../losses/value-terms.js';
import type { Fall } from '../optimiser/schedules.js';
import { matrix } from './actor-critic.js';
import { ExpertActions } from './expert-actions.js';
import * as shared from './shared-settings.js';
import { SoftQCritic } from './soft-q-critic.js';

const settings = shared.withDefaults(
  {
    ...shared.batchSettings,
    ...shared.networkSettings,
    ...shared.criticSettings,
    ...shared.temperatureSetting,
    ...shared.iqSettings,
    ...shared.criticAveragingSetting,
  },
  { batchSize: 128, layerNorm: true, beta1: 0.5, temperature: 1e-3 },
);
type Settings = z.output<z.ZodObject<typeof settings>>;

/**
 * One update of IQ-Learn with soft Q-learning for discrete actions (paper §4.3): there is no actor, the policy is
 * softmax(Q/T), and V is the soft maximum T log Σ_a exp(Q(s, a)/T).
 */
function update(networks: SoftQCritic, given: Settings, rows: Agent['rows'], state: TensorRecord, batch: TensorRecord) {
  const bound = targetBound(given);

  // Critic: A + B + C of r = Q(s, a) − y and of V in the states of the value term, s or s₀.
  const critic = networks.update(state, batch, bound, (parts, y) => {
    const { q, v } = networks.values(parts, batch);
    const v0 = batch.initialObservations && networks.valueOf(parts, batch.initialObservations);
    const { policy: policyRows, expert: expertRows } = rows;
    const terms = { q, v, ...(v0 ? { v0 } : {}), y: tf.expandDims(y, 0), policyRows, expertRows };
    const { loss, ...rewards } = iqLoss(terms, given);
    const penalty = batch.mixing && networks.penalty(parts, batch, batch.mixing);
    return { loss: penalty ? tf.add(loss, tf.mul(penalty, given.gradientPenalty)) : loss, ...rewards, q: tf.mean(q) };
  });
  const { loss: critic_loss, ...metrics } = critic.values;
  return { state: critic.next, outputs: { critic_loss, ...metrics } };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new SoftQCritic(given, spaces, absorbingOf(given));
  const { batchSize } = given;
  const rows = {
    policy: given.online ? batchSize : 0,
    expert: batchSize,
    initialStates: given.initialStates,
    rewards: false,
  };
  const labels = new ExpertActions(given, spaces, rows, true);
  const own = networks.agent(fall);
  return {
    ...own,
    limits: valueLimits(given),
    rows,
    reward: networks.reward(),
    adam: { ...own.adam, ...labels.adam },
    initialState: (random) => ({ ...own.initialState(random), ...labels.initialState(random) }),
    program: {
      name: 'soft_q_update',
      state: { ...networks.state, ...labels.state },
      inputs: {
        ...networks.inputs(rows.policy + rows.expert),
        ...labels.inputs,
        // Samples of the policy where its actions stand for the expert's.
        ...(given.expertActions === 'policy' ? { gumbel: matrix(rows.policy + rows.expert, spaces.action) } : {}),
        ...(needsGradientPenalty(given.divergence) ? { mixing: matrix(batchSize, 1) } : {}),
        ...(needsInitialStates(given.valueTerm) ? { initialObservations: matrix(batchSize, spaces.observation) } : {}),
      },
      step: (state, batch) =>
        labels.update(
          state,
          batch,
          () => networks.sample(state.critic!, batch),
          (labelled) => update(networks, given, rows, state, labelled),
        ),
    },
  };
}

/** IQ-Learn with soft Q-learning: from demonstrations, for discrete actions. */
export const iqSoftQ = defineAgent({
  summary: 'IQ-Learn with soft Q-learning: learns from demonstrations, for discrete actions',
  actions: 'discrete',
  settings,
  create,
});
