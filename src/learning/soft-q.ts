import * as tf from '@tensorflow/tfjs';
import type { Random } from '../common/index.js';
import type { ArrayRecord, Program } from '../engine/index.js';
import { adam, polyak } from './adam.js';
import type { LearnerConfig } from './config.js';
import { criticLoss, valueBound } from './critic-loss.js';
import { gradientsOf } from './gradients.js';
import { perceptron } from './networks.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from './parameters.js';

/** Sizes of a discrete program: `actions` is the number of actions. */
export interface DiscreteSizes {
  readonly observation: number;
  readonly actions: number;
  readonly policyRows: number;
  readonly expertRows: number;
}

export const SOFT_Q_METRICS = ['train/critic_loss', 'train/q', 'train/reward_expert', 'train/reward_policy'] as const;

/** The layout of stacked Q networks [o → hidden → actions]. */
export function softQLayout(config: LearnerConfig, sizes: Pick<DiscreteSizes, 'observation' | 'actions'>): Layout {
  return mlpLayout([sizes.observation, ...config.hiddenSizes, sizes.actions], config.critics);
}

/** Q(s, ·): observations [rows, o] → [critics, rows, actions]. */
export function allActionValues(parts: readonly tf.Tensor[], critics: number, observations: tf.Tensor): tf.Tensor {
  const input = tf.expandDims(observations, 0);
  return perceptron(parts, critics === 1 ? input : tf.tile(input, [critics, 1, 1]));
}

/** V*(s) = T log Σ_a exp(Q(s, a)/T): [..., rows, actions] → [..., rows, 1]. The policy is softmax(Q/T). */
export function softMaximum(q: tf.Tensor, temperature: number): tf.Tensor {
  return tf.mul(tf.logSumExp(tf.div(q, temperature), -1, true), temperature);
}

export function initialSoftQState(config: LearnerConfig, layout: Layout, random: Random): ArrayRecord {
  const critic = initialParameters(layout, random);
  return {
    critic,
    criticM: new Float32Array(critic.length),
    criticV: new Float32Array(critic.length),
    ...(config.targetNetwork ? { target: critic.slice() } : {}),
  };
}

/**
 * One IQ-Learn update of a soft-Q network for discrete actions (paper §4.3): no actor, V is the soft maximum.
 * Inputs as in `actorCriticProgram`, but actions are one-hot [R, n] and there is no noise; for `v0`
 * initialObservations [B, o].
 */
export function softQProgram(config: LearnerConfig, sizes: DiscreteSizes): Program {
  const layout = softQLayout(config, sizes);
  const { policyRows, expertRows } = sizes;
  const rows = policyRows + expertRows;
  const flat = { shape: [layout.size], dtype: 'float32' } as const;
  const matrix = (n: number, columns: number) => ({ shape: [n, columns], dtype: 'float32' }) as const;
  return {
    name: 'soft_q_update',
    state: { critic: flat, criticM: flat, criticV: flat, ...(config.targetNetwork ? { target: flat } : {}) },
    inputs: {
      observations: matrix(rows, sizes.observation),
      actions: matrix(rows, sizes.actions),
      nextObservations: matrix(rows, sizes.observation),
      continues: matrix(rows, 1),
      criticAdam: { shape: [2], dtype: 'float32' },
      ...(config.valueTerm === 'v0' ? { initialObservations: matrix(config.batchSize, sizes.observation) } : {}),
    },
    step: (state, inputs) => {
      const { observations, actions, nextObservations, continues, initialObservations } = inputs;
      const bound = config.clipTarget ? valueBound(config) : Number.POSITIVE_INFINITY;
      const value = (q: tf.Tensor): tf.Tensor => softMaximum(q, config.temperature);
      const bootstrap = (parts: readonly tf.Tensor[]): tf.Tensor => {
        const all = allActionValues(parts, config.critics, nextObservations!);
        const v = value(all);
        const clipped = Number.isFinite(bound) ? tf.clipByValue(v, -bound, bound) : v;
        const least =
          config.critics === 1 ? clipped : tf.minimum(...(tf.split(clipped, 2, 0) as [tf.Tensor, tf.Tensor]));
        return tf.mul(least, tf.expandDims(tf.mul(continues!, config.gamma), 0));
      };
      const targetY = config.targetNetwork ? bootstrap(splitParameters(state.target!, layout)) : undefined;
      const critic = gradientsOf(splitParameters(state.critic!, layout), (parts) => {
        const all = allActionValues(parts, config.critics, observations!);
        const q = tf.sum(tf.mul(all, tf.expandDims(actions!, 0)), -1, true);
        const y = targetY ?? bootstrap(parts);
        const v0 =
          initialObservations === undefined
            ? {}
            : { v0: value(allActionValues(parts, config.critics, initialObservations)) };
        const { loss, rewardExpert, rewardPolicy } = criticLoss(
          { q, v: value(all), y, policyRows, expertRows, ...v0 },
          config,
        );
        return { loss, rewardExpert, rewardPolicy, q: tf.mul(tf.sum(q), 1 / (config.critics * rows)) };
      });
      const next = adam(
        { parameters: state.critic!, m: state.criticM!, v: state.criticV! },
        joinParameters(critic.gradients),
        inputs.criticAdam!,
      );
      const { loss, q, rewardExpert, rewardPolicy } = critic.values;
      return {
        state: {
          critic: next.parameters,
          criticM: next.m,
          criticV: next.v,
          ...(config.targetNetwork ? { target: polyak(state.target!, next.parameters, config.tau) } : {}),
        },
        outputs: {
          metrics: tf.concat1d([loss, q, rewardExpert, rewardPolicy].map((x) => tf.reshape(x, [1]) as tf.Tensor1D)),
        },
      };
    },
  };
}
