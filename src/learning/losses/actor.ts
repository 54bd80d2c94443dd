import * as tf from '@tensorflow/tfjs';

/** The mean of [rows, 1] over the rows that are live (1, else 0); over all rows where `live` is not given. */
function meanOver(x: tf.Tensor, live: tf.Tensor | undefined): tf.Tensor {
  if (live === undefined) return tf.mul(tf.sum(x), 1 / x.shape[0]!);
  return tf.div(tf.sum(tf.mul(x, live)), tf.maximum(tf.sum(live), 1));
}

/**
 * The actor's loss of SAC, E[T log π(ã|s) − Q(s, ã)]: logProbability and q [rows, 1], temperature [1] → scalar. `live`
 * [rows, 1] is 0 for rows that do not count, those in the absorbing state.
 */
export function actorLoss(
  logProbability: tf.Tensor,
  q: tf.Tensor,
  temperature: tf.Tensor,
  live?: tf.Tensor,
): tf.Tensor {
  return meanOver(tf.sub(tf.mul(logProbability, temperature), q), live);
}

/**
 * How far a policy is from given actions: E[Σ (tanh μ(s) − a)²], the mean over rows of what the dimensions of the action
 * add up to. mean and actions [rows, a] → scalar; `live` as above. The deviation of the policy does not count.
 */
export function cloningLoss(mean: tf.Tensor, actions: tf.Tensor, live?: tf.Tensor): tf.Tensor {
  return meanOver(tf.sum(tf.square(tf.sub(tf.tanh(mean), actions)), 1, true), live);
}

/** The policy's entropy −E[log π(ã|s)], in nats, from the same log-probabilities. */
export function entropyOf(logProbability: tf.Tensor, live?: tf.Tensor): tf.Tensor {
  return tf.neg(meanOver(logProbability, live));
}
