import * as tf from '@tensorflow/tfjs';

/**
 * Values of a batch by the source of their rows, each [critics, rows, 1]. `policy` is absent where a batch has no rows
 * of the policy (offline learning).
 */
export interface BySource {
  readonly policy: tf.Tensor | undefined;
  readonly expert: tf.Tensor;
}

/** Some rows of a batch, one after the other. */
export interface Rows {
  readonly from: number;
  readonly count: number;
}

/** These rows of x along `axis`; x itself where it has no others. */
export function rowsOf(x: tf.Tensor, { from, count }: Rows, axis: number): tf.Tensor {
  if (x.shape[axis] === count) return x;
  const [begin, size] = [x.shape.map((_, i) => (i === axis ? from : 0)), x.shape.with(axis, count)];
  return tf.slice(x, begin, size);
}

/** Cuts [critics, policyRows + expertRows, 1] into its two sources; policy rows come first. */
export function bySource(x: tf.Tensor, policyRows: number, expertRows: number): BySource {
  if (policyRows === 0) return { policy: undefined, expert: x };
  const [policy, expert] = tf.split(x, [policyRows, expertRows], 1) as [tf.Tensor, tf.Tensor];
  return { policy, expert };
}

/** The mean over rows, summed over critics: [critics, rows, 1] → scalar. */
export function meanOverRows(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sum(x), 1 / x.shape[1]!);
}

/** The mean that weighs expert and policy one half each, whatever their row counts; of the expert's alone offline. */
export function meanOverMix({ policy, expert }: BySource): tf.Tensor {
  return policy === undefined ? meanOverRows(expert) : tf.mul(tf.add(meanOverRows(policy), meanOverRows(expert)), 0.5);
}
