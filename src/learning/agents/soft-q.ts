import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { temporalDifferenceLoss } from '../losses/td.js';
import type { Fall } from '../optimiser/schedules.js';
import { matrix } from './actor-critic.js';
import * as shared from './shared-settings.js';
import { SoftQCritic } from './soft-q-critic.js';

/** Two critics and a temperature that suits rewards of about one a step. */
const settings = shared.withDefaults(
  {
    ...shared.batchSettings,
    ...shared.networkSettings,
    ...shared.criticSettings,
    ...shared.temperatureSetting,
    ...shared.criticAveragingSetting,
  },
  { batchSize: 128, critics: 2, temperature: 0.1 },
);
type Settings = z.output<z.ZodObject<typeof settings>>;

/** One update of soft Q-learning (Haarnoja et al. 2017) on rewards: ½ E[(Q(s, a) − (R + y))²], y = γ (1 − d) V(s′). */
function update(networks: SoftQCritic, state: TensorRecord, batch: TensorRecord) {
  const { rewards } = batch as Readonly<Record<string, tf.Tensor>>;
  const critic = networks.update(state, batch, Number.POSITIVE_INFINITY, (parts, y) => {
    const { q } = networks.values(parts, batch);
    return { loss: temporalDifferenceLoss(q, rewards!, y), q: tf.mean(q) };
  });
  const { loss: critic_loss, q } = critic.values;
  return { state: critic.next, outputs: { critic_loss, q, reward: tf.mean(rewards!) } };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new SoftQCritic(given, spaces);
  const rows = given.batchSize;
  return {
    ...networks.agent(fall),
    rows: { policy: rows, expert: 0, initialStates: 'first', rewards: true },
    program: {
      name: 'soft_q_reward_update',
      state: networks.state,
      inputs: { ...networks.inputs(rows), rewards: matrix(rows, 1) },
      step: (state, batch) => update(networks, state, batch),
    },
  };
}

/** Soft Q-learning on the rewards of a task: what makes experts where actions are discrete. */
export const softQ = defineAgent({
  summary: "soft Q-learning: learns from a task's own rewards, for discrete actions",
  actions: 'discrete',
  settings,
  create,
});
