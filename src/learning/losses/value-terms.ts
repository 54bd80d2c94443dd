import * as tf from '@tensorflow/tfjs';
import { bySource, meanOverMix, meanOverRows, type Rows } from './rows.js';

/** What a value term is estimated from. All values are [critics, rows, 1]. */
export interface ValueTermInputs {
  /** V(s) − y with y = γ (1 − d) V(s′), in the rows of {@link valuedRows}. */
  readonly advantage: () => tf.Tensor;
  readonly policyRows: number;
  readonly expertRows: number;
  /** V(s₀) of initial states; given where the term needs them. */
  readonly initial: tf.Tensor | undefined;
  readonly gamma: number;
}

/**
 * Estimators of (1−γ) E_p0[V(s₀)]. For the occupancy µ of any policy it equals E_µ[V(s) − γ V(s′)] (telescoping, Cor. 2.1
 * of the paper), so that rows of either source, or of both, may be used.
 */
export const valueTerms = {
  /** Expert and policy rows, one half each (paper §5.1, online). */
  value: ({ advantage, policyRows, expertRows }: ValueTermInputs) =>
    meanOverMix(bySource(advantage(), policyRows, expertRows)),
  /** Policy rows alone; the expert's where there are none. What holds best: the expert's rows push V down in the very
   * states that the policy is to reach (docs/decisions). */
  value_policy: ({ advantage }: ValueTermInputs) => meanOverRows(advantage()),
  /** Expert rows alone (paper §5.1, offline). */
  value_expert: ({ advantage }: ValueTermInputs) => meanOverRows(advantage()),
  /** Initial states (Eq. 10 as it stands). */
  v0: ({ initial, gamma }: ValueTermInputs) => tf.mul(meanOverRows(initial!), 1 - gamma),
} as const satisfies Readonly<Record<string, (inputs: ValueTermInputs) => tf.Tensor>>;

export type ValueTerm = keyof typeof valueTerms;

/** The names in the order of the table, for settings. */
export const valueTermNames = Object.keys(valueTerms) as [ValueTerm, ...ValueTerm[]];

/** Whether a value term is estimated from initial states. */
export const needsInitialStates = (term: ValueTerm): boolean => term === 'v0';

/** The rows of a batch whose V(s) a value term needs: no other has to be computed. */
export function valuedRows(term: ValueTerm, policyRows: number, expertRows: number): Rows {
  if (term === 'value_policy' && policyRows > 0) return { from: 0, count: policyRows };
  if (term === 'value_expert') return { from: policyRows, count: expertRows };
  return { from: 0, count: policyRows + expertRows };
}
