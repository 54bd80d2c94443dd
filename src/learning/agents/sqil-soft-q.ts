import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { sqilLoss } from '../losses/sqil.js';
import type { Fall } from '../optimiser/schedules.js';
import * as shared from './shared-settings.js';
import { SoftQCritic } from './soft-q-critic.js';
import { sqilSettings } from './sqil.js';

const settings = shared.withDefaults(
  {
    ...shared.batchSettings,
    ...shared.networkSettings,
    ...shared.criticSettings,
    ...shared.temperatureSetting,
    ...shared.criticAveragingSetting,
    ...sqilSettings,
  },
  { batchSize: 128, temperature: 0.1 },
);
type Settings = z.output<z.ZodObject<typeof settings>>;

/** One update of SQIL with soft Q-learning: soft-q.ts with the reward 1 for expert rows and 0 for policy rows. */
function update(networks: SoftQCritic, given: Settings, rows: Agent['rows'], state: TensorRecord, batch: TensorRecord) {
  const critic = networks.update(state, batch, Number.POSITIVE_INFINITY, (parts, y) => {
    const { q } = networks.values(parts, batch);
    const form = { policyRows: rows.policy, expertRows: rows.expert, sampleWeight: given.sampleWeight };
    return { loss: sqilLoss(q, y, form), q: tf.mean(q) };
  });
  const { loss: critic_loss, q } = critic.values;
  return { state: critic.next, outputs: { critic_loss, q } };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new SoftQCritic(given, spaces);
  const { batchSize } = given;
  const rows = { policy: batchSize, expert: batchSize, initialStates: 'first', rewards: false } as const;
  return {
    ...networks.agent(fall),
    rows,
    program: {
      name: 'sqil_soft_q_update',
      state: networks.state,
      inputs: networks.inputs(rows.policy + rows.expert),
      step: (state, batch) => update(networks, given, rows, state, batch),
    },
  };
}

/** SQIL as its paper has it for discrete actions, with soft Q-learning. */
export const sqilSoftQ = defineAgent({
  summary: 'SQIL with soft Q-learning: the reward is 1 for demonstrated steps and 0 for its own, for discrete actions',
  actions: 'discrete',
  settings,
  create,
});
