import * as tf from '@tensorflow/tfjs';
import { perceptron } from './mlp.js';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
const LOG_2 = Math.log(2);

/** The Gaussian of a policy before its squashing by tanh. */
export interface Gaussian {
  /** [rows, a]. */
  readonly mean: tf.Tensor;
  /** log σ, [rows, a]. */
  readonly logStd: tf.Tensor;
}

/** The policy's Gaussian before tanh: observations [rows, o] → mean and log σ, log σ squashed into the range. */
export function policyGaussian(
  parts: readonly tf.Tensor[],
  observations: tf.Tensor,
  [low, high]: readonly [number, number],
): Gaussian {
  const [mean, raw] = tf.split(perceptron(parts, observations), 2, 1) as [tf.Tensor, tf.Tensor];
  const half = 0.5 * (high - low);
  return { mean, logStd: tf.add(tf.mul(tf.tanh(raw), half), low + half) };
}

export interface Sample {
  /** tanh(u), [rows, a] in (−1, 1). */
  readonly action: tf.Tensor;
  /** log π(a|s), [rows, 1]. */
  readonly logProbability: tf.Tensor;
}

/**
 * One reparameterised action a = tanh(μ + σ ε) with its log-probability, noise ε ~ N(0, 1) [rows, a].
 * log(1 − tanh²u) = 2(log 2 − u − softplus(−2u)) is exact where the direct form underflows.
 */
export function sampleAction({ mean, logStd }: Gaussian, noise: tf.Tensor): Sample {
  const u = tf.add(mean, tf.mul(tf.exp(logStd), noise));
  const gaussian = tf.neg(tf.add(tf.add(tf.mul(tf.square(noise), 0.5), logStd), HALF_LOG_2PI));
  const correction = tf.mul(tf.sub(LOG_2, tf.add(u, tf.softplus(tf.mul(u, -2)))), 2);
  return { action: tf.tanh(u), logProbability: tf.sum(tf.sub(gaussian, correction), 1, true) };
}

/** log π(a|s) of given actions [rows, a] in (−1, 1) → [rows, 1]. */
export function logProbability({ mean, logStd }: Gaussian, actions: tf.Tensor): tf.Tensor {
  // atanh(a) = ½ log((1+a)/(1−a))
  const u = tf.mul(tf.sub(tf.log(tf.add(actions, 1)), tf.log(tf.sub(1, actions))), 0.5);
  const z = tf.mul(tf.sub(u, mean), tf.exp(tf.neg(logStd)));
  const gaussian = tf.neg(tf.add(tf.add(tf.mul(tf.square(z), 0.5), logStd), HALF_LOG_2PI));
  const correction = tf.log(tf.sub(1, tf.square(actions)));
  return tf.sum(tf.sub(gaussian, correction), 1, true);
}
