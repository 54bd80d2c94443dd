import * as tf from '@tensorflow/tfjs';
import { type Divergence, type DivergenceName, divergences, guardedConcave } from './divergences.js';
import { bySource, meanOverMix, meanOverRows, rowsOf } from './rows.js';
import { type ValueTerm, valuedRows, valueTerms } from './value-terms.js';

/** The settings that the critic's loss depends on. */
export interface IqLossSettings {
  readonly gamma: number;
  readonly divergence: DivergenceName;
  /** The weight c of the quadratic regulariser. */
  readonly regMult: number;
  readonly valueTerm: ValueTerm;
}

/**
 * Values that the loss is computed from; policy rows come first, then expert rows. `policyRows` may be 0 (offline).
 * Leading axis `critics`: each critic has its own loss, and the losses are added.
 */
export interface IqLossTerms {
  /** Q(s, a), [critics, rows, 1]. */
  readonly q: tf.Tensor;
  /** V(s) = Q(s, ã) − T log π(ã|s), [critics, rows, 1], of all rows or of the `valuedRows` alone; not needed by `v0`. */
  readonly v?: tf.Tensor;
  /** y = γ (1 − d) V(s′), [1 or critics, rows, 1]. */
  readonly y: tf.Tensor;
  /** V(s₀), [critics, initial rows, 1]; needed by `v0` only. */
  readonly v0?: tf.Tensor;
  readonly policyRows: number;
  readonly expertRows: number;
}

/** The loss with the recovered rewards that it was computed from; named as the metrics are. */
export interface IqLoss {
  /** Scalar: −J of the paper's Eq. 10, summed over critics. */
  readonly loss: tf.Tensor;
  /** Mean recovered reward r = Q − y over the expert's rows and over critics. */
  readonly reward_expert: tf.Tensor;
  /** The same over the policy's rows; absent offline. */
  readonly reward_policy?: tf.Tensor;
}

/**
 * The critic's loss of IQ-Learn, L = A + B + C, with r = Q(s, a) − y (the inverse soft Bellman operator):
 *
 *     A = −E_E[φ(r)]                                            (Eq. 10; for χ² its linear part)
 *     B =  an estimate of (1−γ) E[V(s₀)], see value-terms.ts    (Cor. 2.1, §5.1)
 *     C =  c · E_mix[r²] | c · E_E[r²]                          (Eq. 12; χ², see divergences.ts for the others)
 *
 * E_mix weighs expert and policy one half each, whatever their row counts.
 */
export function iqLoss(terms: IqLossTerms, settings: IqLossSettings): IqLoss {
  const { q, y, policyRows, expertRows } = terms;
  const divergence: Divergence = divergences[settings.divergence];
  const sources = (x: tf.Tensor) => bySource(x, policyRows, expertRows);

  const r = sources(tf.sub(q, y));
  const a = tf.neg(meanOverRows(guardedConcave(divergence, r.expert)));

  const valued = valuedRows(settings.valueTerm, policyRows, expertRows);
  const advantage = () => tf.sub(rowsOf(terms.v!, valued, 1), rowsOf(y, valued, 1));
  const b = valueTerms[settings.valueTerm]({
    advantage,
    policyRows,
    expertRows,
    initial: terms.v0,
    gamma: settings.gamma,
  });

  const loss = tf.add(a, b);
  const { regulariser } = divergence;
  const regularised = (): tf.Tensor => {
    const of = (rewards: tf.Tensor): tf.Tensor => regulariser!.of(rewards, settings.regMult);
    if (regulariser!.rows === 'expert') return meanOverRows(of(r.expert));
    return meanOverMix({ policy: r.policy && of(r.policy), expert: of(r.expert) });
  };
  const perCritic = (x: tf.Tensor): tf.Tensor => tf.mul(meanOverRows(x), 1 / q.shape[0]!);
  return {
    loss: regulariser === undefined ? loss : tf.add(loss, tf.mul(regularised(), settings.regMult)),
    reward_expert: perCritic(r.expert),
    ...(r.policy === undefined ? {} : { reward_policy: perCritic(r.policy) }),
  };
}
