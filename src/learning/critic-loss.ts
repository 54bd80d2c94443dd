import * as tf from '@tensorflow/tfjs';

/** What of a configuration the critic loss depends on. */
export interface CriticLossSettings {
  readonly gamma: number;
  readonly regMult: number;
  readonly regularise: 'mix' | 'expert';
  readonly valueTerm: 'value' | 'value_expert' | 'v0';
}

/**
 * Values the loss is built from; policy rows come first, then expert rows. `policyRows` may be 0 (offline).
 * Leading axis `critics`: each critic has its own loss, and the losses are added.
 */
export interface CriticLossTerms {
  /** Q(s, a), [critics, rows, 1]. */
  readonly q: tf.Tensor;
  /** V(s) = Q(s, ã) − T log π(ã|s), [critics, rows, 1]. */
  readonly v: tf.Tensor;
  /** y = γ (1 − d) V(s′), [1 or critics, rows, 1]; 0 after a true terminal. */
  readonly y: tf.Tensor;
  readonly policyRows: number;
  readonly expertRows: number;
  /** V(s₀), [critics, initial rows, 1]; needed by `v0` only. */
  readonly v0?: tf.Tensor;
}

export interface CriticLoss {
  /** Scalar, −J of the paper's Eq. 10 with ψ = c·r². */
  readonly loss: tf.Tensor;
  /** Mean recovered reward r = Q − y over the expert's rows, over critics. */
  readonly rewardExpert: tf.Tensor;
  /** The same over the policy's rows; 0 where there are none. */
  readonly rewardPolicy: tf.Tensor;
}

/**
 * The IQ-Learn critic loss L = A + B + C for the χ² divergence, r = Q(s, a) − y (the inverse soft Bellman operator):
 *
 *     A = −E_E[r]                                               (Eq. 10, φ's linear part)
 *     B =  E_mix[V(s) − y] | E_E[V(s) − y] | (1−γ) E[V(s₀)]     (value | value_expert | v0; Cor. 2.1, §5.1)
 *     C =  c · E_mix[r²] | c · E_E[r²]                          (Eq. 12)
 *
 * E_mix weighs expert and policy one half each, whatever their row counts.
 */
export function criticLoss(terms: CriticLossTerms, settings: CriticLossSettings): CriticLoss {
  const { policyRows, expertRows } = terms;
  const critics = terms.q.shape[0]!;
  const halves = (x: tf.Tensor): { policy: tf.Tensor | undefined; expert: tf.Tensor } => {
    if (policyRows === 0) return { policy: undefined, expert: x };
    const [policy, expert] = tf.split(x, [policyRows, expertRows], 1) as [tf.Tensor, tf.Tensor];
    return { policy, expert };
  };
  // Means over rows, sums over critics.
  const total = (x: tf.Tensor, rows: number): tf.Tensor => tf.mul(tf.sum(x), 1 / rows);
  const mix = (x: { policy: tf.Tensor | undefined; expert: tf.Tensor }): tf.Tensor =>
    x.policy === undefined
      ? total(x.expert, expertRows)
      : tf.mul(tf.add(total(x.policy, policyRows), total(x.expert, expertRows)), 0.5);

  const r = halves(tf.sub(terms.q, terms.y));
  const rewardSum = total(r.expert, expertRows);
  const a = tf.neg(rewardSum);

  let b: tf.Tensor;
  if (settings.valueTerm === 'v0') {
    const v0 = terms.v0!;
    b = tf.mul(total(v0, v0.shape[1]!), 1 - settings.gamma);
  } else {
    const advantage = halves(tf.sub(terms.v, terms.y));
    b = settings.valueTerm === 'value' ? mix(advantage) : total(advantage.expert, expertRows);
  }

  const squared = {
    policy: r.policy === undefined ? undefined : tf.square(r.policy),
    expert: tf.square(r.expert),
  };
  const c = tf.mul(settings.regularise === 'mix' ? mix(squared) : total(squared.expert, expertRows), settings.regMult);
  return {
    loss: tf.add(tf.add(a, b), c),
    rewardExpert: tf.mul(rewardSum, 1 / critics),
    rewardPolicy: r.policy === undefined ? tf.scalar(0) : tf.mul(total(r.policy, policyRows), 1 / critics),
  };
}

/** The bound on |Q| that the mix regulariser implies: 1/(c(1−γ)); Infinity where c is 0. */
export function valueBound({ gamma, regMult }: { gamma: number; regMult: number }): number {
  return regMult === 0 ? Number.POSITIVE_INFINITY : 1 / (regMult * (1 - gamma));
}
