import * as tf from '@tensorflow/tfjs';
import type { TensorRecord } from '../../engine/index.js';
import type { Absorbing } from '../losses/absorbing.js';
import { joinParameters, type Layout, splitParameters } from '../networks/parameters.js';
import { adam } from '../optimiser/adam.js';
import { gradientsOf } from '../optimiser/gradients.js';
import { polyak } from '../optimiser/polyak.js';

type Parts = readonly tf.Tensor[];

/** The settings of critics that their step depends on. */
export interface CriticStepSettings {
  readonly targetNetwork: boolean;
  readonly tau: number;
  readonly beta1: number;
}

/**
 * The critics' step, whether they judge continuous or discrete actions. `loss` is given their parameters and y, which is
 * `targetOf` the target critics, or of the critics themselves (then the gradient flows through y, too). `state` holds
 * critic, criticM, criticV and the target, `criticAdam` Adam's coefficients.
 */
export function criticStep<Aux extends Readonly<Record<string, tf.Tensor>>>(
  layout: Layout,
  { targetNetwork, tau, beta1 }: CriticStepSettings,
  state: TensorRecord,
  criticAdam: tf.Tensor,
  targetOf: (critic: Parts) => tf.Tensor,
  loss: (critic: Parts, y: tf.Tensor) => { readonly loss: tf.Tensor } & Aux,
): {
  readonly next: Record<string, tf.Tensor>;
  /** The critics' parameters after the step. */
  readonly parameters: tf.Tensor;
  readonly values: { loss: tf.Tensor } & Aux;
} {
  const partsOf = (flat: tf.Tensor): Parts => splitParameters(flat, layout);
  const y = targetNetwork ? targetOf(partsOf(state.target!)) : undefined;
  const { gradients, values } = gradientsOf(partsOf(state.critic!), (parts) => loss(parts, y ?? targetOf(parts)));
  const { parameters, m, v } = adam(
    { parameters: state.critic!, m: state.criticM!, v: state.criticV! },
    joinParameters(gradients),
    criticAdam,
    beta1,
  );
  const target = targetNetwork ? { target: polyak(state.target!, parameters, tau) } : {};
  return { next: { critic: parameters, criticM: m, criticV: v, ...target }, parameters, values };
}

/** y of V(s′) [rows, 1]: discounted, with the value of the absorbing state in its place after a true terminal. */
export function discounted(v: tf.Tensor, continues: tf.Tensor, gamma: number, absorbing: Absorbing): tf.Tensor {
  if (absorbing === 'learned') return tf.mul(v, gamma);
  const y = tf.mul(tf.mul(continues, gamma), v);
  const { value } = absorbing;
  return value === 0 ? y : tf.add(y, tf.mul(tf.sub(1, continues), gamma * value));
}

/** V(s′) within ±bound; as it is where there is none. */
export const clipped = (v: tf.Tensor, bound: number): tf.Tensor =>
  Number.isFinite(bound) ? tf.clipByValue(v, -bound, bound) : v;
