import * as tf from '@tensorflow/tfjs';
import { type Block, Random } from '#src/common/index.js';
import type { PolicyContract, PolicyFunction } from '#src/policy/index.js';
import { observationOf } from '#src/robot/index.js';

export const camera: Block = { name: 'camera', shape: [8, 8, 3], dtype: 'uint8', normalise: 'unit' };
const pixels = 8 * 8 * 3;
const inputs = 4 + pixels;

/** A made-up robot with four numbers and an image of bytes: what no description can name yet. */
export const cameraContract: PolicyContract = {
  robot: 'seeing_bot',
  rateHz: 10,
  observation: ['a', 'b', 'c', 'd'].map((name) => ({ name, unit: '1', low: -1, high: 1 })),
  action: [
    { name: 'linear', unit: 'm/s', low: 0, high: 1 },
    { name: 'angular', unit: 'rad/s', low: -2, high: 2 },
  ],
  blocks: [{ ...camera, shape: [...camera.shape] }],
};

/** The smallest network of both blocks: tanh(W · [state, image/255 flattened] + ε). Weights [4 + 192, 2]. */
export function flattened(weights: tf.Tensor, state: tf.Tensor, image: tf.Tensor, noise?: tf.Tensor): tf.Tensor {
  const rows = state.shape[0]!;
  const x = tf.concat([state, tf.reshape(tf.div(image, 255), [rows, pixels])], 1);
  const u = tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D);
  return tf.tanh(noise === undefined ? u : tf.add(u, noise));
}

export function cameraWeights(seed = 1): Float32Array {
  return Random.derive(seed, 'camera weights')
    .fillNormal(new Float32Array(inputs * 2))
    .map((x) => x / 8);
}

export function cameraPolicy(weights = cameraWeights()): PolicyFunction {
  return {
    observation: observationOf(cameraContract),
    actionSize: 2,
    constants: { weights: { spec: { shape: [inputs, 2], dtype: 'float32' }, data: weights } },
    apply: ({ observation_state, observation_camera, noise }, constants) => ({
      action: flattened(constants.weights!, observation_state!, observation_camera!, noise!),
    }),
  };
}

/** The same in plain JavaScript, in the robot's units. */
export function cameraAction(weights: Float32Array, state: ArrayLike<number>, image: Uint8Array): number[] {
  const x = [...Array.from(state), ...Array.from(image, (byte) => byte / 255)];
  return cameraContract.action.map(({ low, high }, k) => {
    const u = x.reduce((sum, value, i) => sum + value * weights[2 * i + k]!, 0);
    return low! + ((Math.tanh(u) + 1) / 2) * (high! - low!);
  });
}
