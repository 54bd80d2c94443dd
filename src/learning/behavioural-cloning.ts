import * as tf from '@tensorflow/tfjs';
import type { Random } from '../common/index.js';
import type { ArrayRecord, Program } from '../engine/index.js';
import { adam } from './adam.js';
import { gradientsOf } from './gradients.js';
import { logProbability, policyGaussian } from './networks.js';
import { initialParameters, joinParameters, type Layout, mlpLayout, splitParameters } from './parameters.js';

export interface CloningSizes {
  readonly observation: number;
  readonly action: number;
  readonly rows: number;
}

/** `mse` regresses tanh(μ) on the expert's action; `nll` is the likelihood of the squashed Gaussian. */
export type CloningLoss = 'mse' | 'nll';

export function cloningLayout(hiddenSizes: readonly number[], sizes: Omit<CloningSizes, 'rows'>): Layout {
  return mlpLayout([sizes.observation, ...hiddenSizes, 2 * sizes.action]);
}

export function initialCloningState(layout: Layout, random: Random): ArrayRecord {
  const actor = initialParameters(layout, random);
  return { actor, actorM: new Float32Array(actor.length), actorV: new Float32Array(actor.length) };
}

/** One update of behavioural cloning with the actor network of SAC, so that the comparison is of algorithms only. */
export function cloningProgram(
  hiddenSizes: readonly number[],
  logStdRange: readonly [number, number],
  loss: CloningLoss,
  sizes: CloningSizes,
): Program {
  const layout = cloningLayout(hiddenSizes, sizes);
  const flat = { shape: [layout.size], dtype: 'float32' } as const;
  return {
    name: 'behavioural_cloning_update',
    state: { actor: flat, actorM: flat, actorV: flat },
    inputs: {
      observations: { shape: [sizes.rows, sizes.observation], dtype: 'float32' },
      actions: { shape: [sizes.rows, sizes.action], dtype: 'float32' },
      actorAdam: { shape: [2], dtype: 'float32' },
    },
    step: (state, { observations, actions, actorAdam }) => {
      const { gradients, values } = gradientsOf(splitParameters(state.actor!, layout), (parts) => {
        const policy = policyGaussian(parts, observations!, logStdRange);
        return {
          loss:
            loss === 'nll'
              ? tf.neg(tf.mean(logProbability(policy, actions!)))
              : tf.mean(tf.square(tf.sub(tf.tanh(policy.mean), actions!))),
        };
      });
      const next = adam(
        { parameters: state.actor!, m: state.actorM!, v: state.actorV! },
        joinParameters(gradients),
        actorAdam!,
      );
      return {
        state: { actor: next.parameters, actorM: next.m, actorV: next.v },
        outputs: { metrics: tf.reshape(values.loss, [1]) },
      };
    },
  };
}
