import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { TensorRecord } from '../../engine/index.js';
import { type Agent, defineAgent, type Spaces } from '../agent.js';
import { temporalDifferenceLoss } from '../losses/td.js';
import type { Fall } from '../optimiser/schedules.js';
import { ActorCritic, matrix } from './actor-critic.js';
import { actorSettings, batchSettings, criticSettings, gaussianSettings, networkSettings } from './shared-settings.js';

const settings = { ...batchSettings, ...networkSettings, ...gaussianSettings, ...criticSettings, ...actorSettings };
type Settings = z.output<z.ZodObject<typeof settings>>;

/**
 * One update of soft actor-critic (Haarnoja et al. 2018); `criticLoss` of Q(s, a) and y is what the critic learns from:
 * here rewards. iq-sac.ts is the same but for the critic's loss and the value V(s) that it needs.
 */
export function update(
  networks: ActorCritic,
  state: TensorRecord,
  batch: TensorRecord,
  criticLoss: (q: tf.Tensor, y: tf.Tensor) => tf.Tensor,
) {
  const { actions, nextNoise } = batch as Readonly<Record<string, tf.Tensor>>;
  const [states, nextStates] = [networks.statesOf(batch), networks.nextStatesOf(batch)];
  const temperature = networks.temperature(state);
  const actor = networks.actorOf(state.actor!);

  // y = γ (1 − d) V(s′), with one action of the policy in s′.
  const next = networks.sample(actor, nextStates, nextNoise!);
  const bootstrap = (critic: readonly tf.Tensor[]) => networks.softValue(critic, nextStates, next, temperature);

  const critic = networks.updateCritic(state, batch, bootstrap, (parts, y) => {
    const q = networks.values(parts, states, actions!);
    return { loss: criticLoss(q, y), q: tf.mean(q) };
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

/** The critic's loss is ½ E[(Q(s, a) − (R + y))²]. */
function updateOnRewards(networks: ActorCritic, state: TensorRecord, batch: TensorRecord) {
  const rewards = batch.rewards!;
  const made = update(networks, state, batch, (q, y) => temporalDifferenceLoss(q, rewards, y));
  return { state: made.state, outputs: { ...made.outputs, reward: tf.mean(rewards) } };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new ActorCritic(given, spaces);
  const rows = given.batchSize;
  return {
    ...networks.agent(),
    rows: { policy: rows, expert: 0, initialStates: 'first', rewards: true },
    adam: networks.coefficients(fall),
    program: {
      name: 'sac_update',
      state: networks.state,
      inputs: { ...networks.inputs(rows), rewards: matrix(rows, 1) },
      step: (state, batch) => updateOnRewards(networks, state, batch),
    },
  };
}

/** Soft actor-critic on the rewards of a task: what makes experts. */
export const sac = defineAgent({
  summary: "soft actor-critic: learns from a task's own rewards, for continuous actions",
  actions: 'continuous',
  settings,
  create,
});
