import * as tf from '@tensorflow/tfjs';

/** Keeps the division finite where all units of a layer are equal. */
const EPSILON = 1e-5;

/** The reciprocal of the standard deviation of each row, and the rows less their means. */
function centredRows(x: tf.Tensor): { readonly centred: tf.Tensor; readonly scale: tf.Tensor } {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  return { centred, scale: tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), EPSILON)) };
}

/**
 * Layer normalisation (Ba et al. 2016) over the last axis, without learned scale and shift: every row gets mean 0 and
 * variance 1. In a critic it bounds how fast Q can grow away from the data, which is what keeps IQ-Learn stable where the
 * policy leaves the demonstrations.
 *
 * With y the result, s the scale that a row was multiplied by and g the gradient by y, the gradient by x is
 * s (g − mean(g) − y mean(g y)): half the passes over memory that differentiating each step takes. It is made of x
 * again, so that it can be differentiated itself, as a gradient penalty does; what is computed twice the engine joins.
 */
export function layerNorm(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args: unknown[]) => {
    const [rows, save] = args as [tf.Tensor, tf.GradSaveFunc];
    const { centred, scale } = centredRows(rows);
    save([rows]);
    return {
      value: tf.mul(centred, scale),
      gradFunc: (gradient: tf.Tensor, [saved]: tf.Tensor[]) => {
        const y = layerNorm(saved!);
        const along = tf.mul(y, tf.mean(tf.mul(gradient, y), -1, true));
        return tf.mul(tf.sub(tf.sub(gradient, along), tf.mean(gradient, -1, true)), centredRows(saved!).scale);
      },
    };
  })(x);
}
