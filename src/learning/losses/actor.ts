import * as tf from '@tensorflow/tfjs';

/** The actor's loss of SAC, E[T log π(ã|s) − Q(s, ã)]: logProbability and q [rows, 1], temperature [1] → scalar. */
export function actorLoss(logProbability: tf.Tensor, q: tf.Tensor, temperature: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sum(tf.sub(tf.mul(logProbability, temperature), q)), 1 / q.shape[0]!);
}

/** The policy's entropy −E[log π(ã|s)], in nats, from the same log-probabilities. */
export function entropyOf(logProbability: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sum(logProbability), -1 / logProbability.shape[0]!);
}
