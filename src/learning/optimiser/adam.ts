import * as tf from '@tensorflow/tfjs';

/** Decay rate of Adam's second moment, and the number that keeps its division finite. */
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** The parameters of a network with Adam's two moments, all flat vectors of the same length. */
export interface AdamState {
  readonly parameters: tf.Tensor;
  readonly m: tf.Tensor;
  readonly v: tf.Tensor;
}

/** The scalars of one Adam update. */
export interface AdamCoefficients {
  readonly step: number;
  readonly epsilon: number;
}

/**
 * The two scalars of Adam (Kingma & Ba, 2015) that depend on the step number t ≥ 1, computed in double precision:
 * with them p −= step · m / (√v + epsilon) equals the published bias-corrected update.
 */
export function adamCoefficients(t: number, learningRate: number, beta1 = 0.9): AdamCoefficients {
  const correction1 = 1 - beta1 ** t;
  const correction2 = Math.sqrt(1 - BETA2 ** t);
  return { step: (learningRate * correction2) / correction1, epsilon: EPSILON * correction2 };
}

/**
 * One Adam update of a flat vector; `coefficients` [2] hold step and epsilon of {@link adamCoefficients}, for the same
 * decay rate `beta1` of the first moment.
 */
export function adam(
  { parameters, m, v }: AdamState,
  gradient: tf.Tensor,
  coefficients: tf.Tensor,
  beta1 = 0.9,
): AdamState {
  const [step, epsilon] = tf.split(coefficients as tf.Tensor1D, 2) as [tf.Tensor, tf.Tensor];
  const m1 = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
  const v1 = tf.add(tf.mul(v, BETA2), tf.mul(tf.square(gradient), 1 - BETA2));
  const change = tf.div(tf.mul(m1, step), tf.add(tf.sqrt(v1), epsilon));
  return { parameters: tf.sub(parameters, change), m: m1, v: v1 };
}
