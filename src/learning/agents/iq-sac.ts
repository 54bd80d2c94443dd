import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { absorbingOf } from '../losses/absorbing.js';
import { needsGradientPenalty, targetBound, valueLimits } from '../losses/divergences.js';
import { iqLoss } from '../losses/iq.js';
import { needsInitialStates, valuedRows } from '../losses/value-terms.js';
import type { Fall } from '../optimiser/schedules.js';
import { ActorCritic, matrix } from './actor-critic.js';
import { clipped } from './critic-step.js';
import { ExpertActions } from './expert-actions.js';
import * as shared from './shared-settings.js';

/** The defaults are one set for all robots, which holds from a single demonstration; docs/decisions says why. */
const settings = shared.withDefaults(
  {
    ...shared.batchSettings,
    ...shared.networkSettings,
    ...shared.gaussianSettings,
    ...shared.criticSettings,
    ...shared.actorSettings,
    ...shared.cloningSetting,
    ...shared.iqSettings,
  },
  {
    batchSize: 128,
    layerNorm: true,
    beta1: 0.5,
    actorLearningRate: 3e-4,
    temperature: 1e-3,
    actorAveraging: 1e-3,
  },
);
type Settings = z.output<z.ZodObject<typeof settings>>;

/**
 * One update of IQ-Learn with soft actor-critic (Garg et al. 2021, Algorithm 1). sac.ts is the same but for the critic's
 * loss: there it is the temporal difference to a reward, here the reward is what the critic implies, r = Q(s, a) − y.
 */
function update(networks: ActorCritic, given: Settings, rows: Agent['rows'], state: TensorRecord, batch: TensorRecord) {
  const { actions, nextNoise } = batch as Readonly<Record<string, tf.Tensor | undefined>>;
  const [states, nextStates] = [networks.statesOf(batch), networks.nextStatesOf(batch)];
  const temperature = networks.temperature(state);
  const actor = networks.actorOf(state.actor!);

  // y = γ (1 − d) V(s′), with one action of the policy in s′ and V(s′) clipped to the divergence's bound.
  const next = networks.sample(actor, nextStates, nextNoise!);
  const bound = targetBound(given);
  const bootstrap = (critic: readonly tf.Tensor[]) =>
    clipped(networks.softValue(critic, nextStates, next, temperature), bound);

  // Critic: A + B + C of r = Q(s, a) − y and of V in the states of the value term, some of s or s₀.
  const valued = networks.valued(actor, batch, valuedRows(given.valueTerm, rows.policy, rows.expert));
  const critic = networks.updateCritic(state, batch, bootstrap, (parts, y) => {
    const { q, v } = networks.valuesWithSoft(parts, states, actions!, valued, temperature);
    const terms = { q, v, v0: v, y: tf.expandDims(y, 0), policyRows: rows.policy, expertRows: rows.expert };
    const { loss, ...rewards } = iqLoss(terms, given);
    const penalty = batch.mixing && networks.penalty(parts, states, actions!, batch.mixing);
    return { loss: penalty ? tf.add(loss, tf.mul(penalty, given.gradientPenalty)) : loss, ...rewards, q: tf.mean(q) };
  });

  // Actor: E[T log π(ã|s) − Q(s, ã)] + w E_E[|tanh μ(s) − a|²]. Temperature: T (H(π) − H̄).
  const policy = networks.updateActor(state, batch, critic.parts, temperature, shownActions(given, rows));
  const { loss: actor_loss, entropy } = policy.values;
  const { loss: critic_loss, q, ...rewards } = critic.values;
  return {
    state: { ...critic.next, ...policy.next, ...networks.updateTemperature(state, batch, temperature, entropy) },
    outputs: { critic_loss, actor_loss, q, entropy, temperature: tf.reshape(temperature, []), ...rewards },
  };
}

/** The expert's rows with the weight of the error of the actor's action there; nothing where nobody has seen the expert's. */
function shownActions({ cloningWeight, expertActions }: Settings, { policy, expert }: Agent['rows']) {
  if (cloningWeight === 0 || expertActions !== 'shown') return undefined;
  return { rows: { from: policy, count: expert }, weight: cloningWeight };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new ActorCritic(given, spaces, absorbingOf(given));
  const { batchSize } = given;
  const rows = {
    policy: given.online ? batchSize : 0,
    expert: batchSize,
    initialStates: given.initialStates,
    rewards: false,
  };
  const labels = new ExpertActions(given, spaces, rows, false);
  const own = networks.agent();
  return {
    ...own,
    limits: { ...own.limits, ...valueLimits(given) },
    rows,
    reward: networks.reward(),
    adam: { ...networks.coefficients(fall), ...labels.adam },
    initialState: (random) => ({ ...networks.initialState(random), ...labels.initialState(random) }),
    program: {
      name: 'iq_learn_update',
      state: { ...networks.state, ...labels.state },
      inputs: {
        ...networks.inputs(rows.policy + rows.expert),
        ...labels.inputs,
        ...(needsGradientPenalty(given.divergence) ? { mixing: matrix(batchSize, 1) } : {}),
        ...(needsInitialStates(given.valueTerm)
          ? {
              initialObservations: matrix(batchSize, spaces.observation),
              initialNoise: matrix(batchSize, spaces.action),
            }
          : {}),
      },
      step: (state, batch) =>
        labels.update(
          state,
          batch,
          () => networks.sample(networks.actorOf(state.actor!), networks.statesOf(batch), batch.noise!).action,
          (labelled) => update(networks, given, rows, state, labelled),
        ),
    },
  };
}

/** IQ-Learn with soft actor-critic: from demonstrations, for continuous actions. */
export const iqSac = defineAgent({
  summary: 'IQ-Learn with soft actor-critic: learns from demonstrations, for continuous actions',
  actions: 'continuous',
  settings,
  create,
});
