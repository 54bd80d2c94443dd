import * as tf from '@tensorflow/tfjs';
import type { Random } from '../common/index.js';
import type { ArrayRecord, Program, TensorRecord } from '../engine/index.js';
import { actorCriticProgram, initialState, layoutsOf, METRICS, type Objective } from './actor-critic.js';
import type { LearnerConfig } from './config.js';
import type { Normalisation } from './data/normalisation.js';
import { actionValues, policyGaussian, sampleAction, smallest } from './networks.js';
import { splitParameters } from './parameters.js';
import { actorPolicy, type PolicyFunction, softQPolicy } from './policy-function.js';
import {
  allActionValues,
  initialSoftQState,
  SOFT_Q_METRICS,
  softMaximum,
  softQLayout,
  softQProgram,
} from './soft-q.js';

/** Rows of a recovered-reward batch, in tensors: see {@link Algorithm.recover}. */
export interface RecoveryInputs {
  readonly observations: tf.Tensor;
  readonly actions: tf.Tensor;
  readonly nextObservations: tf.Tensor;
  readonly continues: tf.Tensor;
  /** [samples · rows, a]; row blocks of one sample each. */
  readonly noise: tf.Tensor;
}

/** What differs between learning with an actor (SAC) and without (soft-Q); the {@link Learner} does the rest. */
export interface Algorithm {
  readonly program: Program;
  readonly metrics: readonly string[];
  /** Continuous actions are clipped to ±actionClip before they reach a buffer; one-hot ones are not. */
  readonly continuous: boolean;
  /** State entries that hold networks (not moments): what {@link recover} needs. */
  readonly networks: readonly string[];
  /** State entries that {@link policy} reads. */
  readonly deployed: readonly string[];
  initialState(random: Random): ArrayRecord;
  policy(state: ArrayRecord, normalisation: Normalisation): PolicyFunction;
  /** r = Q(s, a) − γ (1 − d) V(s′) → [rows, 1]. */
  recover(state: TensorRecord, inputs: RecoveryInputs, samples: number): tf.Tensor;
}

export interface AlgorithmSizes {
  readonly observation: number;
  readonly action: number;
  readonly policyRows: number;
  readonly expertRows: number;
}

/** SAC: squashed Gaussian actor, one or two critics; the critic's loss is IQ-Learn's (`iq`) or SAC's own (`sac`). */
export function actorCritic(objective: Objective, config: LearnerConfig, sizes: AlgorithmSizes): Algorithm {
  const layouts = layoutsOf(config, sizes);
  const deployed = config.actorAveraging > 0 ? 'average' : 'actor';
  return {
    program: actorCriticProgram(objective, config, sizes),
    metrics: METRICS,
    continuous: true,
    networks: ['actor', 'critic'],
    deployed: [deployed],
    initialState: (random) => initialState(config, layouts, random),
    policy: (state, normalisation) =>
      actorPolicy({
        layout: layouts.actor,
        parameters: state[deployed] as Float32Array,
        normalisation,
        logStdRange: config.logStdRange,
        actionSize: sizes.action,
      }),
    recover: (state, { observations, actions, nextObservations, continues, noise }, samples) => {
      const rows = observations.shape[0]!;
      const actor = splitParameters(state.actor!, layouts.actor);
      const critic = splitParameters(state.critic!, layouts.critic);
      const q = smallest(actionValues(critic, config.critics, observations, actions));
      const repeated = tf.tile(nextObservations, [samples, 1]);
      const next = sampleAction(policyGaussian(actor, repeated, config.logStdRange), noise);
      const values = tf.sub(
        smallest(actionValues(critic, config.critics, repeated, next.action)),
        tf.mul(next.logProbability, config.temperature),
      );
      const v = tf.reshape(tf.mean(tf.reshape(values, [samples, rows]), 0), [rows, 1]);
      return tf.sub(q, tf.mul(tf.mul(continues, config.gamma), v));
    },
  };
}

/** Soft-Q for discrete actions, given one-hot (paper §4.3). */
export function softQ(config: LearnerConfig, sizes: AlgorithmSizes): Algorithm {
  const discrete = { ...sizes, actions: sizes.action };
  const layout = softQLayout(config, discrete);
  return {
    program: softQProgram(config, discrete),
    metrics: SOFT_Q_METRICS,
    continuous: false,
    networks: ['critic'],
    deployed: ['critic'],
    initialState: (random) => initialSoftQState(config, layout, random),
    policy: (state, normalisation) =>
      softQPolicy({
        layout,
        parameters: state.critic as Float32Array,
        critics: config.critics,
        temperature: config.temperature,
        normalisation,
        actions: sizes.action,
      }),
    recover: (state, { observations, actions, nextObservations, continues }) => {
      const critic = splitParameters(state.critic!, layout);
      const all = allActionValues(critic, config.critics, observations);
      const q = smallest(tf.sum(tf.mul(all, tf.expandDims(actions, 0)), -1, true));
      const v = smallest(softMaximum(allActionValues(critic, config.critics, nextObservations), config.temperature));
      return tf.sub(q, tf.mul(tf.mul(continues, config.gamma), v));
    },
  };
}
