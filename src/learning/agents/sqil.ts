import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { sqilLoss } from '../losses/sqil.js';
import type { Fall } from '../optimiser/schedules.js';
import { ActorCritic } from './actor-critic.js';
import * as shared from './shared-settings.js';

export const sqilSettings = {
  sampleWeight: z
    .number()
    .min(0)
    .default(1)
    .describe("Weight λ_samp of the policy's rows, whose reward is 0, beside the expert's, whose reward is 1."),
};

/** The settings of SAC on a task's rewards, with its temperature learned. */
const settings = shared.withDefaults(
  {
    ...shared.batchSettings,
    ...shared.networkSettings,
    ...shared.gaussianSettings,
    ...shared.criticSettings,
    ...shared.actorSettings,
    ...sqilSettings,
  },
  { batchSize: 128, critics: 2, learnTemperature: true, temperature: 0.2, actorLearningRate: 3e-4 },
);
type Settings = z.output<z.ZodObject<typeof settings>>;

/** One update of SQIL with soft actor-critic: sac.ts with the reward 1 for expert rows and 0 for policy rows. */
function update(networks: ActorCritic, given: Settings, rows: Agent['rows'], state: TensorRecord, batch: TensorRecord) {
  const { actions, nextNoise } = batch as Readonly<Record<string, tf.Tensor>>;
  const [states, nextStates] = [networks.statesOf(batch), networks.nextStatesOf(batch)];
  const temperature = networks.temperature(state);
  const actor = networks.actorOf(state.actor!);

  // y = γ (1 − d) V(s′), with one action of the policy in s′.
  const next = networks.sample(actor, nextStates, nextNoise!);
  const bootstrap = (critic: readonly tf.Tensor[]) => networks.softValue(critic, nextStates, next, temperature);

  // Critic: ½ E_E[(Q(s, a) − (1 + y))²] + ½ λ E_π[(Q(s, a) − y)²].
  const critic = networks.updateCritic(state, batch, bootstrap, (parts, y) => {
    const q = networks.values(parts, states, actions!);
    const form = { policyRows: rows.policy, expertRows: rows.expert, sampleWeight: given.sampleWeight };
    return { loss: sqilLoss(q, y, form), q: tf.mean(q) };
  });

  // Actor: E[T log π(ã|s) − Q(s, ã)]. Temperature: T (H(π) − H̄).
  const policy = networks.updateActor(state, batch, critic.parts, temperature);
  const { loss: actor_loss, entropy } = policy.values;
  const { loss: critic_loss, q } = critic.values;
  return {
    state: { ...critic.next, ...policy.next, ...networks.updateTemperature(state, batch, temperature, entropy) },
    outputs: { critic_loss, actor_loss, q, entropy, temperature: tf.reshape(temperature, []) },
  };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new ActorCritic(given, spaces);
  const { batchSize } = given;
  const rows = { policy: batchSize, expert: batchSize, initialStates: 'first', rewards: false } as const;
  return {
    ...networks.agent(),
    rows,
    adam: networks.coefficients(fall),
    program: {
      name: 'sqil_update',
      state: networks.state,
      inputs: networks.inputs(rows.policy + rows.expert),
      step: (state, batch) => update(networks, given, rows, state, batch),
    },
  };
}

/** SQIL (Reddy et al. 2020): a baseline of imitation, which gives the expert's steps the reward 1 and its own 0. */
export const sqil = defineAgent({
  summary:
    'SQIL with soft actor-critic: the reward is 1 for demonstrated steps and 0 for its own, for continuous actions',
  actions: 'continuous',
  settings,
  create,
});
