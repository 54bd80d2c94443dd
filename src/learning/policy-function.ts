import * as tf from '@tensorflow/tfjs';
import { type ObservationSpec, vectorObservation } from '../common/index.js';
import type { TensorRecord, TensorSpec } from '../engine/index.js';
import type { Normalisation } from './data/normalisation.js';
import { policyGaussian, sampleAction } from './networks.js';
import { checkLength, type Layout, splitParameters } from './parameters.js';
import { allActionValues } from './soft-q.js';

/**
 * A policy as a pure function with its constants, ready to be written as a bundle: observation [1, o] in the robot's
 * units and noise [1, a] → action [1, a] in [−1, 1]. noise 0 is the deterministic action tanh(μ), N(0, 1) a sample of π.
 */
export interface PolicyFunction {
  readonly observation: ObservationSpec;
  readonly actionSize: number;
  readonly constants: Readonly<Record<string, { readonly spec: TensorSpec; readonly data: Float32Array }>>;
  apply(inputs: TensorRecord, constants: TensorRecord): { action: tf.Tensor };
}

type Constant = PolicyFunction['constants'][string];

const flat = (layout: Layout, data: Float32Array): Constant => ({
  spec: { shape: [layout.size], dtype: 'float32' },
  data,
});

function normalisationConstants({ mean, scale }: Normalisation): Record<string, Constant> {
  const row = (data: Float32Array): Constant => ({ spec: { shape: [1, data.length], dtype: 'float32' }, data });
  return { observation_mean: row(mean), observation_scale: row(scale) };
}

function normalised(observation: tf.Tensor, constants: TensorRecord): tf.Tensor {
  return tf.div(tf.sub(observation, constants.observation_mean!), constants.observation_scale!);
}

/** The policy function of a squashed Gaussian actor with its observation normalisation. */
export function actorPolicy(options: {
  readonly layout: Layout;
  readonly parameters: Float32Array;
  readonly normalisation: Normalisation;
  readonly logStdRange: readonly [number, number];
  readonly actionSize: number;
}): PolicyFunction {
  const { layout, parameters, normalisation, logStdRange } = options;
  checkLength('the actor parameters', parameters, layout);
  return {
    observation: vectorObservation(normalisation.mean.length),
    actionSize: options.actionSize,
    constants: { ...normalisationConstants(normalisation), actor: flat(layout, parameters) },
    apply: (inputs, constants) => {
      const x = normalised(inputs.observation!, constants);
      const gaussian = policyGaussian(splitParameters(constants.actor!, layout), x, logStdRange);
      return { action: sampleAction(gaussian, inputs.noise!).action };
    },
  };
}

/**
 * The policy function of soft-Q networks: action [1, n] are the logits Q(s, ·)/T + noise; the action taken is their
 * argmax. noise 0 is the greedy action, Gumbel noise a sample of softmax(Q/T).
 */
export function softQPolicy(options: {
  readonly layout: Layout;
  readonly parameters: Float32Array;
  readonly critics: number;
  readonly temperature: number;
  readonly normalisation: Normalisation;
  readonly actions: number;
}): PolicyFunction {
  const { layout, parameters, normalisation, critics, temperature } = options;
  checkLength('the Q-network parameters', parameters, layout);
  return {
    observation: vectorObservation(normalisation.mean.length),
    actionSize: options.actions,
    constants: { ...normalisationConstants(normalisation), critic: flat(layout, parameters) },
    apply: (inputs, constants) => {
      const q = allActionValues(
        splitParameters(constants.critic!, layout),
        critics,
        normalised(inputs.observation!, constants),
      );
      return { action: tf.add(tf.div(tf.mean(q, 0), temperature), inputs.noise!) };
    },
  };
}
