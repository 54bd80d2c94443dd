import * as tf from '@tensorflow/tfjs';
import { Random, vectorObservation } from '#src/common/index.js';
import type { PolicyContract, PolicyFunction } from '#src/policy/index.js';

/** A robot with one bounded and one unbounded feature and two actions with different, lopsided ranges. */
export const contract: PolicyContract = {
  robot: 'testbot',
  rateHz: 20,
  observation: [
    { name: 'distance', unit: 'm', low: 0, high: 5 },
    { name: 'speed', unit: 'm/s', low: null, high: null },
    { name: 'bearing', unit: 'rad', low: -Math.PI, high: Math.PI },
  ],
  action: [
    { name: 'linear', unit: 'm/s', low: -0.5, high: 1 },
    { name: 'angular', unit: 'rad/s', low: -2, high: 2 },
  ],
};

/** tanh(W·(x − 1)/2 + σ ε) with weights of the seed, and the same in plain JavaScript, scaled to units. */
export function linearPolicy(seed = 1): {
  policy: PolicyFunction;
  expected(observation: readonly number[], noise: readonly number[]): number[];
} {
  const o = contract.observation.length;
  const a = contract.action.length;
  const weights = Random.derive(seed, 'weights').fillNormal(new Float32Array(o * a));
  const sigma = Float32Array.of(0.3, 0.7);
  const policy: PolicyFunction = {
    observation: vectorObservation(o),
    actionSize: a,
    constants: {
      weights: { spec: { shape: [o, a], dtype: 'float32' }, data: weights },
      sigma: { spec: { shape: [1, a], dtype: 'float32' }, data: sigma },
    },
    apply: ({ observation, noise }, constants) => ({
      action: tf.tanh(
        tf.add(
          tf.matMul(tf.div(tf.sub(observation!, 1), 2) as tf.Tensor2D, constants.weights as tf.Tensor2D),
          tf.mul(noise!, constants.sigma!),
        ),
      ),
    }),
  };
  const expected = (observation: readonly number[], noise: readonly number[]): number[] =>
    contract.action.map((feature, k) => {
      const [low, high] = [feature.low!, feature.high!];
      let u = sigma[k]! * noise[k]!;
      for (let i = 0; i < o; i++) u += ((observation[i]! - 1) / 2) * weights[i * a + k]!;
      return low + ((Math.tanh(u) + 1) / 2) * (high - low);
    });
  return { policy, expected };
}
