import * as tf from '@tensorflow/tfjs';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
const LOG_2 = Math.log(2);

/** A ReLU multilayer perceptron: input [..., rows, in] → [..., rows, out]; parts as of `splitParameters`. */
export function perceptron(parts: readonly tf.Tensor[], input: tf.Tensor): tf.Tensor {
  let x = input;
  for (let i = 0; i < parts.length; i += 2) {
    x = tf.add(tf.matMul(x, parts[i]!), parts[i + 1]!);
    if (i + 2 < parts.length) x = tf.relu(x);
  }
  return x;
}

/** Q(s, a) of stacked critics: observations [rows, o], actions [rows, a] → [critics, rows, 1]. */
export function actionValues(
  parts: readonly tf.Tensor[],
  critics: number,
  observations: tf.Tensor,
  actions: tf.Tensor,
): tf.Tensor {
  const input = tf.expandDims(tf.concat([observations, actions], 1), 0);
  return perceptron(parts, critics === 1 ? input : tf.tile(input, [critics, 1, 1]));
}

/** [critics, rows, 1] → the smallest over the critics, [rows, 1]. */
export function smallest(q: tf.Tensor): tf.Tensor {
  const [critics, rows] = q.shape as [number, number, number];
  if (critics === 1) return tf.reshape(q, [rows, 1]);
  const [first, second] = tf.split(q, 2, 0) as [tf.Tensor, tf.Tensor];
  return tf.reshape(tf.minimum(first, second), [rows, 1]);
}

export interface Gaussian {
  /** Before the squashing, [rows, a]. */
  readonly mean: tf.Tensor;
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
