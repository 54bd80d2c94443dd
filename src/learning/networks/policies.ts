import * as tf from '@tensorflow/tfjs';
import { vectorObservation } from '../../common/index.js';
import type { TensorRecord } from '../../engine/index.js';
import type { PolicyFunction } from '../../policy/index.js';
import { NORMALISED_LIMIT, type Normalisation } from '../data/normalisation.js';
import { allActionValues, type CriticForm } from './critics.js';
import { checkLength, type Layout, splitParameters } from './parameters.js';
import { policyGaussian, sampleAction } from './squashed-gaussian.js';

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
  const x = tf.div(tf.sub(observation, constants.observation_mean!), constants.observation_scale!);
  return tf.clipByValue(x, -NORMALISED_LIMIT, NORMALISED_LIMIT);
}

/** The policy function of a squashed Gaussian actor with its observation normalisation. Throws MISMATCH. */
export function gaussianPolicy(options: {
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
 * The policy function of Q networks over discrete actions: action [1, n] are the logits Q(s, ·)/T + noise, and the
 * action to take is their argmax. Noise 0 gives the greedy action, Gumbel noise a sample of softmax(Q/T).
 */
export function softQPolicy(options: {
  readonly layout: Layout;
  readonly parameters: Float32Array;
  /** Appended to every observation before the networks; 0 in all states that a policy acts in. */
  readonly absorbingEntry: boolean;
  readonly form: Pick<CriticForm, 'critics' | 'layerNorm'>;
  readonly temperature: number;
  readonly normalisation: Normalisation;
  readonly actions: number;
}): PolicyFunction {
  const { layout, parameters, normalisation, form, temperature } = options;
  checkLength('the Q-network parameters', parameters, layout);
  return {
    observation: vectorObservation(normalisation.mean.length),
    actionSize: options.actions,
    constants: { ...normalisationConstants(normalisation), critic: flat(layout, parameters) },
    apply: (inputs, constants) => {
      const parts = splitParameters(constants.critic!, layout);
      const x = normalised(inputs.observation!, constants);
      const q = allActionValues(parts, form, options.absorbingEntry ? tf.concat([x, tf.zeros([1, 1])], 1) : x);
      return { action: tf.add(tf.div(tf.mean(q, 0), temperature), inputs.noise!) };
    },
  };
}
