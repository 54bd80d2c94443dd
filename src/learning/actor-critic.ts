import * as tf from '@tensorflow/tfjs';
import type { Random } from '../common/index.js';
import type { ArrayRecord, Program, TensorRecord, TensorSpec } from '../engine/index.js';
import { adam, polyak } from './adam.js';
import type { LearnerConfig } from './config.js';
import { criticLoss, valueBound } from './critic-loss.js';
import { gradientsOf } from './gradients.js';
import { actionValues, policyGaussian, sampleAction, smallest } from './networks.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from './parameters.js';

/** Sizes a program is built for. */
export interface Sizes {
  readonly observation: number;
  readonly action: number;
  /** Rows of a batch that come from the policy's replay buffer; 0 learns offline. */
  readonly policyRows: number;
  /** Rows that come from the demonstrations; 0 for plain SAC. */
  readonly expertRows: number;
}

export interface Layouts {
  readonly actor: Layout;
  readonly critic: Layout;
}

/** Layouts of the flat parameter vectors: actor [o → hidden → 2a] (mean, then raw log σ), stacked critics [o + a → hidden → 1]. */
export function layoutsOf(config: LearnerConfig, sizes: Pick<Sizes, 'observation' | 'action'>): Layouts {
  return {
    actor: mlpLayout([sizes.observation, ...config.hiddenSizes, 2 * sizes.action]),
    critic: mlpLayout([sizes.observation + sizes.action, ...config.hiddenSizes, 1], config.critics),
  };
}

/** The names of the `metrics` output, in order. */
export const METRICS = [
  'train/critic_loss',
  'train/actor_loss',
  'train/q',
  'train/entropy',
  'train/reward_expert',
  'train/reward_policy',
  'train/temperature',
] as const;

const vector = (size: number): TensorSpec => ({ shape: [size], dtype: 'float32' });
const matrix = (rows: number, columns: number): TensorSpec => ({ shape: [rows, columns], dtype: 'float32' });

/** The state a fresh actor-critic starts from. */
export function initialState(config: LearnerConfig, layouts: Layouts, random: Random): ArrayRecord {
  const actor = initialParameters(layouts.actor, random);
  const critic = initialParameters(layouts.critic, random);
  return {
    actor,
    actorM: new Float32Array(actor.length),
    actorV: new Float32Array(actor.length),
    critic,
    criticM: new Float32Array(critic.length),
    criticV: new Float32Array(critic.length),
    ...(config.targetNetwork ? { target: critic.slice() } : {}),
    ...(config.learnTemperature
      ? { temperature: Float32Array.of(Math.log(config.temperature)), temperatureMoments: new Float32Array(2) }
      : {}),
    ...(config.actorAveraging > 0 ? { average: actor.slice() } : {}),
  };
}

/** How the critic learns: from demonstrations (IQ-Learn), or from rewards (SAC). */
export type Objective = 'iq' | 'sac';

/**
 * One update of SAC with the critic's loss of IQ-Learn (`iq`) or the temporal difference (`sac`), as a pure program.
 *
 * Inputs, R = policyRows + expertRows, policy rows first: observations, nextObservations [R, o] (normalised),
 * actions [R, a] in (−1, 1), continues [R, 1] = 1 − terminated (a time limit continues), noise, nextNoise [R, a] ~ N(0, 1),
 * criticAdam, actorAdam, temperatureAdam [2] (`adamCoefficients`), for `sac` rewards [R, 1], for `v0`
 * initialObservations [B, o] and initialNoise [B, a].
 */
export function actorCriticProgram(objective: Objective, config: LearnerConfig, sizes: Sizes): Program {
  const layouts = layoutsOf(config, sizes);
  const rows = sizes.policyRows + sizes.expertRows;
  const needsInitial = objective === 'iq' && config.valueTerm === 'v0';
  const { actor: actorSize, critic: criticSize } = { actor: layouts.actor.size, critic: layouts.critic.size };
  return {
    name: objective === 'iq' ? 'iq_learn_update' : 'sac_update',
    state: {
      actor: vector(actorSize),
      actorM: vector(actorSize),
      actorV: vector(actorSize),
      critic: vector(criticSize),
      criticM: vector(criticSize),
      criticV: vector(criticSize),
      ...(config.targetNetwork ? { target: vector(criticSize) } : {}),
      ...(config.learnTemperature ? { temperature: vector(1), temperatureMoments: vector(2) } : {}),
      ...(config.actorAveraging > 0 ? { average: vector(actorSize) } : {}),
    },
    inputs: {
      observations: matrix(rows, sizes.observation),
      actions: matrix(rows, sizes.action),
      nextObservations: matrix(rows, sizes.observation),
      continues: matrix(rows, 1),
      noise: matrix(rows, sizes.action),
      nextNoise: matrix(rows, sizes.action),
      criticAdam: vector(2),
      actorAdam: vector(2),
      ...(config.learnTemperature ? { temperatureAdam: vector(2) } : {}),
      ...(objective === 'sac' ? { rewards: matrix(rows, 1) } : {}),
      ...(needsInitial
        ? {
            initialObservations: matrix(config.batchSize, sizes.observation),
            initialNoise: matrix(config.batchSize, sizes.action),
          }
        : {}),
    },
    step: (state, inputs) => actorCriticStep(objective, config, sizes, layouts, state, inputs),
  };
}

function actorCriticStep(
  objective: Objective,
  config: LearnerConfig,
  sizes: Sizes,
  layouts: Layouts,
  state: TensorRecord,
  inputs: TensorRecord,
): { state: TensorRecord; outputs: TensorRecord } {
  const { observations, actions, nextObservations } = inputs as Record<string, tf.Tensor>;
  const rows = sizes.policyRows + sizes.expertRows;
  const critics = config.critics;
  const actorParts = splitParameters(state.actor!, layouts.actor);
  const temperature: tf.Tensor = config.learnTemperature
    ? tf.exp(state.temperature!)
    : tf.tensor1d([config.temperature]);

  // V(s) = Q(s, ã) − T log π(ã|s) with one action ã ~ π(·|s); stacked critics keep their own value.
  const softValue = (q: tf.Tensor, logProbability: tf.Tensor): tf.Tensor =>
    tf.sub(q, tf.mul(logProbability, temperature));

  // Actions of the current policy in s (differentiated by the actor's step below) and in s′.
  const fresh = sampleAction(policyGaussian(actorParts, observations!, config.logStdRange), inputs.noise!);
  const next = sampleAction(policyGaussian(actorParts, nextObservations!, config.logStdRange), inputs.nextNoise!);
  const initial =
    inputs.initialObservations === undefined
      ? undefined
      : sampleAction(policyGaussian(actorParts, inputs.initialObservations, config.logStdRange), inputs.initialNoise!);

  // y = γ (1 − d) V(s′), V(s′) clipped to the bound of the regulariser.
  const bound = objective === 'iq' && config.clipTarget ? valueBound(config) : Number.POSITIVE_INFINITY;
  const discounts = tf.mul(inputs.continues!, config.gamma);
  const bootstrap = (parts: readonly tf.Tensor[]): tf.Tensor => {
    const q = smallest(actionValues(parts, critics, nextObservations!, next.action));
    const v = softValue(q, next.logProbability);
    return tf.mul(discounts, Number.isFinite(bound) ? tf.clipByValue(v, -bound, bound) : v);
  };
  const targetY = config.targetNetwork ? bootstrap(splitParameters(state.target!, layouts.critic)) : undefined;

  // Critic: the gradient flows through Q(s, a) and V(s), and through y where there is no target network.
  const critic = gradientsOf(splitParameters(state.critic!, layouts.critic), (parts) => {
    const y = targetY ?? bootstrap(parts);
    if (objective === 'sac') {
      const q = actionValues(parts, critics, observations!, actions!);
      const error = tf.sub(q, tf.expandDims(tf.add(inputs.rewards!, y), 0));
      return {
        loss: tf.mul(tf.sum(tf.square(error)), 0.5 / rows),
        q: tf.mul(tf.sum(q), 1 / (critics * rows)),
        rewardExpert: tf.scalar(0),
        rewardPolicy: tf.mul(tf.sum(inputs.rewards!), 1 / rows),
      };
    }
    // Q(s, a) and Q(s, ã) in one pass over 2R rows.
    const both = actionValues(
      parts,
      critics,
      tf.concat(
        initial === undefined ? [observations!, observations!] : [observations!, inputs.initialObservations!],
        0,
      ),
      tf.concat([actions!, initial === undefined ? fresh.action : initial.action], 0),
    );
    const secondRows = initial === undefined ? rows : config.batchSize;
    const [q, qFresh] = tf.split(both, [rows, secondRows], 1) as [tf.Tensor, tf.Tensor];
    const v = softValue(qFresh, tf.expandDims((initial ?? fresh).logProbability, 0));
    const { loss, rewardExpert, rewardPolicy } = criticLoss(
      { q, v, v0: v, y: tf.expandDims(y, 0), policyRows: sizes.policyRows, expertRows: sizes.expertRows },
      config,
    );
    return { loss, rewardExpert, rewardPolicy, q: tf.mul(tf.sum(q), 1 / (critics * rows)) };
  });
  const criticNext = adam(
    { parameters: state.critic!, m: state.criticM!, v: state.criticV! },
    joinParameters(critic.gradients),
    inputs.criticAdam!,
  );

  // Actor: min E[T log π(ã|s) − Q(s, ã)] over policy and expert states, with the updated critic.
  const criticParts = splitParameters(criticNext.parameters, layouts.critic);
  const actor = gradientsOf(actorParts, (parts) => {
    const sample = sampleAction(policyGaussian(parts, observations!, config.logStdRange), inputs.noise!);
    const q = smallest(actionValues(criticParts, critics, observations!, sample.action));
    const loss = tf.mul(tf.sum(tf.sub(tf.mul(sample.logProbability, temperature), q)), 1 / rows);
    return { loss, entropy: tf.mul(tf.sum(sample.logProbability), -1 / rows) };
  });
  const actorNext = adam(
    { parameters: state.actor!, m: state.actorM!, v: state.actorV! },
    joinParameters(actor.gradients),
    inputs.actorAdam!,
  );

  const nextState: Record<string, tf.Tensor> = {
    actor: actorNext.parameters,
    actorM: actorNext.m,
    actorV: actorNext.v,
    critic: criticNext.parameters,
    criticM: criticNext.m,
    criticV: criticNext.v,
  };
  if (config.targetNetwork) nextState.target = polyak(state.target!, criticNext.parameters, config.tau);
  if (config.actorAveraging > 0)
    nextState.average = polyak(state.average!, actorNext.parameters, config.actorAveraging);
  if (config.learnTemperature) {
    // dL/d log T of L = T (H(π) − H̄): the temperature rises while the entropy is below its target.
    const target = config.targetEntropy ?? -sizes.action;
    const gradient = tf.mul(temperature, tf.reshape(tf.sub(actor.values.entropy, target), [1]));
    const [m, v] = tf.split(state.temperatureMoments as tf.Tensor1D, 2) as [tf.Tensor, tf.Tensor];
    const updated = adam({ parameters: state.temperature!, m, v }, gradient, inputs.temperatureAdam!);
    nextState.temperature = updated.parameters;
    nextState.temperatureMoments = tf.concat1d([updated.m as tf.Tensor1D, updated.v as tf.Tensor1D]);
  }
  const metrics = [
    critic.values.loss,
    actor.values.loss,
    critic.values.q,
    actor.values.entropy,
    critic.values.rewardExpert,
    critic.values.rewardPolicy,
    temperature,
  ];
  return {
    state: nextState,
    outputs: { metrics: tf.concat1d(metrics.map((value) => tf.reshape(value, [1]) as tf.Tensor1D)) },
  };
}
