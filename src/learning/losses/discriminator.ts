import * as tf from '@tensorflow/tfjs';

/**
 * The loss of a discriminator D = σ(h) that tells the expert's steps (D → 1) from the policy's (D → 0):
 * −E_E[log D] − E_π[log(1 − D)], from its logits h of expert and policy rows → scalar.
 */
export function discriminatorLoss(expert: tf.Tensor, policy: tf.Tensor): tf.Tensor {
  return tf.add(tf.mean(tf.softplus(tf.neg(expert))), tf.mean(tf.softplus(policy)));
}
