import * as tf from '@tensorflow/tfjs';
import { bySource, meanOverRows } from './rows.js';

/**
 * The critic's loss of SQIL (Reddy et al. 2020, Algorithm 1): the squared soft Bellman error δ² of expert rows with the
 * reward 1, and λ times that of policy rows with the reward 0, each a mean over its rows and halved, summed over critics.
 * q [critics, policy rows + expert rows, 1], policy rows first; y = γ (1 − d) V(s′) [rows, 1] → scalar.
 */
export function sqilLoss(
  q: tf.Tensor,
  y: tf.Tensor,
  { policyRows, expertRows, sampleWeight }: { policyRows: number; expertRows: number; sampleWeight: number },
): tf.Tensor {
  const errors = bySource(tf.sub(q, tf.expandDims(y, 0)), policyRows, expertRows);
  const expert = meanOverRows(tf.square(tf.sub(errors.expert, 1)));
  if (errors.policy === undefined) return tf.mul(expert, 0.5);
  return tf.mul(tf.add(expert, tf.mul(meanOverRows(tf.square(errors.policy)), sampleWeight)), 0.5);
}
