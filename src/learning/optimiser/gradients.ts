import * as tf from '@tensorflow/tfjs';

/**
 * Gradients of a scalar loss whose function also returns intermediate results: (parts) → { loss, ...aux }. tfjs frees
 * the tensors that a differentiated function made; those that it returns in addition to the loss are kept.
 */
export function gradientsOf<Aux extends Readonly<Record<string, tf.Tensor>>>(
  parts: readonly tf.Tensor[],
  f: (parts: readonly tf.Tensor[]) => { readonly loss: tf.Tensor } & Aux,
): { readonly gradients: tf.Tensor[]; readonly values: { readonly loss: tf.Tensor } & Aux } {
  let kept: ({ readonly loss: tf.Tensor } & Aux) | undefined;
  const gradients = tf.grads((...arguments_: tf.Tensor[]) => {
    const values = f(arguments_);
    kept = values;
    for (const value of Object.values(values)) tf.keep(value);
    return tf.reshape(values.loss, []) as tf.Scalar;
  })([...parts]);
  const copies: Record<string, tf.Tensor> = {};
  for (const [name, value] of Object.entries(kept!)) {
    copies[name] = tf.clone(value);
    value.dispose();
  }
  return { gradients, values: copies as { loss: tf.Tensor } & Aux };
}
