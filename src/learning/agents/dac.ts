import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { TensorRecord, TensorSpec } from '../../engine/index.js';
import { type Agent, defineAgent, type RewardFunction, type Spaces } from '../agent.js';
import { discriminatorLoss } from '../losses/discriminator.js';
import { gradientPenalty } from '../losses/gradient-penalty.js';
import { temporalDifferenceLoss } from '../losses/td.js';
import { perceptron } from '../networks/mlp.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from '../networks/parameters.js';
import { adam, adamCoefficients } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import type { Fall } from '../optimiser/schedules.js';
import { ActorCritic, entriesOf, matrix, type States } from './actor-critic.js';
import { update as updateSac } from './sac.js';
import * as shared from './shared-settings.js';

/** SAC's settings on a task's rewards, and the discriminator's of Kostrikov et al. 2019. */
const settings = shared.withDefaults(
  {
    ...shared.batchSettings,
    ...shared.networkSettings,
    ...shared.gaussianSettings,
    ...shared.criticSettings,
    ...shared.actorSettings,
    discriminatorLearningRate: shared.learningRate(3e-4).describe("Adam's learning rate of the discriminator."),
    gradientPenalty: z
      .number()
      .min(0)
      .max(1e4)
      .default(10)
      .describe('Weight λ of the gradient penalty of the discriminator.'),
  },
  { batchSize: 128, critics: 2, learnTemperature: true, temperature: 0.2, actorLearningRate: 3e-4 },
);
type Settings = z.output<z.ZodObject<typeof settings>>;

type Parts = readonly tf.Tensor[];

/** Actor and critics of SAC, and the layout of the discriminator [o + 1 + a → hidden → 1]. */
interface Networks {
  readonly networks: ActorCritic;
  readonly layout: Layout;
}

/** The inputs of the program that have a row for each row of the batch. */
const BY_ROW = ['observations', 'actions', 'nextObservations', 'continues', 'absorbing'] as const;

/** The batch of the policy's rows alone, and that of the expert's. */
function halvesOf(batch: TensorRecord, rows: number): [TensorRecord, TensorRecord] {
  const parts = BY_ROW.map((name) => [name, tf.split(batch[name]!, [rows, rows], 0)] as const);
  const half = (k: number): TensorRecord => ({ ...batch, ...Object.fromEntries(parts.map(([n, p]) => [n, p[k]!])) });
  return [half(0), half(1)];
}

/** What the discriminator sees of steps: (s, a), with the entry of the absorbing state. */
const stepsOf = (states: States, actions: tf.Tensor): tf.Tensor => tf.concat([entriesOf(states), actions], 1);

/** The logit h of D = σ(h) for steps [rows, n] → [rows, 1]; it is also the reward, h = log D − log(1 − D). */
const logitOf = (parts: Parts, steps: tf.Tensor): tf.Tensor =>
  tf.squeeze(perceptron(parts, tf.expandDims(steps, 0)), [0]);

/** The discriminator's step: its binary cross-entropy with the gradient penalty between expert and policy rows. */
function updateDiscriminator(layout: Layout, given: Settings, state: TensorRecord, batch: TensorRecord, steps: Parts) {
  const [policy, expert] = steps as readonly [tf.Tensor, tf.Tensor];
  const { gradients, values } = gradientsOf(splitParameters(state.discriminator!, layout), (parts) => {
    const loss = discriminatorLoss(logitOf(parts, expert), logitOf(parts, policy));
    const penalty = gradientPenalty((x) => perceptron(parts, x), 1, expert, policy, batch.mixing!);
    return { loss: tf.add(loss, tf.mul(penalty, given.gradientPenalty)) };
  });
  const { parameters, m, v } = adam(
    { parameters: state.discriminator!, m: state.discriminatorM!, v: state.discriminatorV! },
    joinParameters(gradients),
    batch.discriminatorAdam!,
    given.beta1,
  );
  return {
    next: { discriminator: parameters, discriminatorM: m, discriminatorV: v },
    parts: splitParameters(parameters, layout),
    loss: values.loss,
  };
}

/**
 * One update of the discriminator-actor-critic (Kostrikov et al. 2019, Algorithm 1) with SAC in the place of TD3: the
 * discriminator learns from rows of both sources, actor and critics from the policy's rows with its reward.
 */
function update({ networks, layout }: Networks, given: Settings, state: TensorRecord, batch: TensorRecord) {
  const [own, shown] = halvesOf(batch, given.batchSize);
  const steps = [
    stepsOf(networks.statesOf(own), own.actions!),
    stepsOf(networks.statesOf(shown), shown.actions!),
  ] as const;
  const discriminator = updateDiscriminator(layout, given, state, batch, steps);
  const rewards = logitOf(discriminator.parts, steps[0]);

  // SAC on the policy's rows; a true terminal leads to the absorbing state, which has a value.
  const actorCritic = updateSac(networks, state, own, (q, y) => temporalDifferenceLoss(q, rewards, y));
  return {
    state: { ...discriminator.next, ...actorCritic.state },
    outputs: {
      discriminator_loss: discriminator.loss,
      ...actorCritic.outputs,
      reward_policy: tf.mean(rewards),
      reward_expert: tf.mean(logitOf(discriminator.parts, steps[1])),
    },
  };
}

/** The reward that the discriminator gives, log D − log(1 − D). */
function rewardOf({ networks, layout }: Networks): RewardFunction {
  return {
    entries: ['discriminator'],
    recover: (state, { observations, actions }) =>
      logitOf(splitParameters(state.discriminator!, layout), stepsOf(networks.liveStates(observations), actions)),
  };
}

function create(given: Settings, spaces: Spaces, fall: Fall): Agent {
  const networks = new ActorCritic(given, spaces, 'learned');
  const layout = mlpLayout([spaces.observation + 1 + spaces.action, ...given.hiddenSizes, 1], 1, spaces.images);
  const { batchSize: rows } = given;
  const flat: TensorSpec = { shape: [layout.size], dtype: 'float32' };
  return {
    ...networks.agent(),
    rows: { policy: rows, expert: rows, initialStates: 'first', rewards: false },
    reward: rewardOf({ networks, layout }),
    adam: {
      ...networks.coefficients(fall),
      discriminatorAdam: (t) => adamCoefficients(t, given.discriminatorLearningRate, given.beta1),
    },
    initialState(random) {
      const state = networks.initialState(random);
      const discriminator = initialParameters(layout, random);
      const [discriminatorM, discriminatorV] = [new Float32Array(layout.size), new Float32Array(layout.size)];
      return { ...state, discriminator, discriminatorM, discriminatorV };
    },
    program: {
      name: 'dac_update',
      state: { ...networks.state, discriminator: flat, discriminatorM: flat, discriminatorV: flat },
      inputs: {
        ...networks.inputs(2 * rows),
        // Noise is for the policy's rows alone: actor and critics do not see the expert's.
        noise: matrix(rows, spaces.action),
        nextNoise: matrix(rows, spaces.action),
        mixing: matrix(rows, 1),
        discriminatorAdam: { shape: [2], dtype: 'float32' },
      },
      step: (state, batch) => update({ networks, layout }, given, state, batch),
    },
  };
}

/** Discriminator-actor-critic (Kostrikov et al. 2019): a baseline of imitation, adversarial and off-policy. */
export const dac = defineAgent({
  summary:
    'DAC with soft actor-critic: learns the reward of a discriminator of demonstrated steps, for continuous actions',
  actions: 'continuous',
  settings,
  create,
});
