import * as tf from '@tensorflow/tfjs';
import { type BySource, meanOverMix, meanOverRows } from './rows.js';

/** What a value term is estimated from. All values are [critics, rows, 1]. */
export interface ValueTermInputs {
  /** V(s) − y with y = γ (1 − d) V(s′), by the source of the rows. */
  readonly advantage: () => BySource;
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
  value: ({ advantage }: ValueTermInputs) => meanOverMix(advantage()),
  /** Policy rows alone; the expert's where there are none. What holds best: the expert's rows push V down in the very
   * states that the policy is to reach (docs/decisions). */
  value_policy: ({ advantage }: ValueTermInputs) => {
    const { policy, expert } = advantage();
    return meanOverRows(policy ?? expert);
  },
  /** Expert rows alone (paper §5.1, offline). */
  value_expert: ({ advantage }: ValueTermInputs) => meanOverRows(advantage().expert),
  /** Initial states (Eq. 10 as it stands). */
  v0: ({ initial, gamma }: ValueTermInputs) => tf.mul(meanOverRows(initial!), 1 - gamma),
} as const satisfies Readonly<Record<string, (inputs: ValueTermInputs) => tf.Tensor>>;

export type ValueTerm = keyof typeof valueTerms;

/** The names in the order of the table, for settings. */
export const valueTermNames = Object.keys(valueTerms) as [ValueTerm, ...ValueTerm[]];

/** Whether a value term is estimated from initial states. */
export const needsInitialStates = (term: ValueTerm): boolean => term === 'v0';
