import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { sqilLoss } from '../losses/sqil.js';
import type { Fall } from '../optimiser/schedules.js';
import { ActorCritic } from './actor-critic.js';
import { update } from './sac.js';
import * as shared from './shared-settings.js';

export const sqilSettings = {
  sampleWeight: z
    .number()
    .min(0)
    .max(1e4)
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

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new ActorCritic(given, spaces);
  const { batchSize } = given;
  const rows = { policy: batchSize, expert: batchSize, initialStates: 'first', rewards: false } as const;
  // ½ E_E[(Q(s, a) − (1 + y))²] + ½ λ E_π[(Q(s, a) − y)²]: SAC with the reward 1 for expert rows and 0 for policy rows.
  const form = { policyRows: batchSize, expertRows: batchSize, sampleWeight: given.sampleWeight };
  const loss = (q: tf.Tensor, y: tf.Tensor): tf.Tensor => sqilLoss(q, y, form);
  return {
    ...networks.agent(),
    rows,
    adam: networks.coefficients(fall),
    program: {
      name: 'sqil_update',
      state: networks.state,
      inputs: networks.inputs(rows.policy + rows.expert),
      step: (state, batch) => update(networks, state, batch, loss),
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
