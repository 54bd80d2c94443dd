import * as tf from '@tensorflow/tfjs';
import { shapeSize } from '../../common/index.js';
import type { TensorRecord } from '../../engine/index.js';
import type { PolicyFunction } from '../../policy/index.js';
import type { Normalisation } from '../data/normalisation.js';
import { allActionValues } from './critics.js';
import type { Blocks, ObservationEncoder } from './encoders.js';
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

/** The blocks of an observation, those of numbers normalised. */
function normalised(encoder: ObservationEncoder, inputs: TensorRecord, constants: TensorRecord): Blocks {
  const { spec } = encoder;
  const sizes = spec.filter(({ dtype }) => dtype === 'float32').map(({ shape }) => shapeSize(shape));
  const ofBlocks = (constant: tf.Tensor): tf.Tensor[] =>
    sizes.length === 1 ? [constant] : (tf.split(constant as tf.Tensor2D, sizes, 1) as tf.Tensor[]);
  const means = ofBlocks(constants.observation_mean!);
  const scales = ofBlocks(constants.observation_scale!);
  let next = 0;
  return encoder.blocks('observation', inputs).map((block, i) => {
    if (spec[i]!.dtype !== 'float32') return block;
    const [mean, scale] = [means[next]!, scales[next++]!];
    const whole = (constant: tf.Tensor): tf.Tensor =>
      block.shape.length === 2 ? constant : tf.reshape(constant, [...block.shape]);
    return tf.div(tf.sub(block, whole(mean)), whole(scale));
  });
}

/** The policy function of a squashed Gaussian actor with its observation normalisation. Throws MISMATCH. */
export function gaussianPolicy(options: {
  readonly encoder: ObservationEncoder;
  readonly layout: Layout;
  readonly parameters: Float32Array;
  readonly normalisation: Normalisation;
  readonly logStdRange: readonly [number, number];
  readonly actionSize: number;
}): PolicyFunction {
  const { encoder, layout, parameters, normalisation, logStdRange } = options;
  checkLength('the actor parameters', parameters, layout);
  return {
    observation: encoder.spec,
    actionSize: options.actionSize,
    constants: { ...normalisationConstants(normalisation), actor: flat(layout, parameters) },
    apply: (inputs, constants) => {
      const blocks = normalised(encoder, inputs, constants);
      const { features, rest } = encoder.encode(splitParameters(constants.actor!, layout), blocks);
      const gaussian = policyGaussian(rest, features, logStdRange);
      return { action: sampleAction(gaussian, inputs.noise!).action };
    },
  };
}

/**
 * The policy function of Q networks over discrete actions: action [1, n] are the logits Q(s, ·)/T + noise, and the
 * action to take is their argmax. Noise 0 gives the greedy action, Gumbel noise a sample of softmax(Q/T).
 */
export function softQPolicy(options: {
  readonly encoder: ObservationEncoder;
  readonly layout: Layout;
  readonly parameters: Float32Array;
  readonly critics: number;
  readonly temperature: number;
  readonly normalisation: Normalisation;
  readonly actions: number;
}): PolicyFunction {
  const { encoder, layout, parameters, normalisation, critics, temperature } = options;
  checkLength('the Q-network parameters', parameters, layout);
  return {
    observation: encoder.spec,
    actionSize: options.actions,
    constants: { ...normalisationConstants(normalisation), critic: flat(layout, parameters) },
    apply: (inputs, constants) => {
      const blocks = normalised(encoder, inputs, constants);
      const { features, rest } = encoder.encode(splitParameters(constants.critic!, layout), blocks);
      const q = allActionValues(rest, critics, features);
      return { action: tf.add(tf.div(tf.mean(q, 0), temperature), inputs.noise!) };
    },
  };
}
