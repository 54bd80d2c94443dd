import type * as tf from '@tensorflow/tfjs';

/**
 * An f-divergence (or integral probability metric) as IQ-Learn maximises it: E_E[φ(r)] − E_ρ[r] over recovered rewards
 * r. φ is written as `concave(r)` minus a quadratic regulariser with a weight c (the setting `regMult`), because the χ²
 * divergence takes that part over other rows than the rest.
 */
export interface Divergence {
  /** Where the formula comes from. */
  readonly source: string;
  /** The part of φ that is taken over the expert's rows: elementwise and concave. */
  readonly concave: (r: tf.Tensor) => tf.Tensor;
  /** Rows over which the regulariser c·E[r²] is taken; absent where there is none. */
  readonly regularised?: 'mix' | 'expert';
  /** The bound on |Q| that the divergence implies, for clipping bootstrapped values; absent where there is none. */
  readonly bound?: (regMult: number, gamma: number) => number;
}

/** |r| ≤ 1/c at the optimum, so |Q| ≤ 1/(c(1−γ)). Infinity where c is 0. */
const quadraticBound = (regMult: number, gamma: number): number =>
  regMult === 0 ? Number.POSITIVE_INFINITY : 1 / (regMult * (1 - gamma));

/** Every divergence that an agent may be told to minimise. A new one is a row of this table. */
export const divergences = {
  'chi2-mix': {
    source: 'Garg et al. 2021, with the regulariser over expert and policy rows as in Al-Hafez et al. 2023 (LS-IQ)',
    concave: (r) => r,
    regularised: 'mix',
    bound: quadraticBound,
  },
  'chi2-expert': {
    source: 'Garg et al. 2021, Eq. 12: Pearson χ², φ(r) = r − c·r²',
    concave: (r) => r,
    regularised: 'expert',
    bound: quadraticBound,
  },
} as const satisfies Readonly<Record<string, Divergence>>;

export type DivergenceName = keyof typeof divergences;

/** The names in the order of the table, for settings. */
export const divergenceNames = Object.keys(divergences) as [DivergenceName, ...DivergenceName[]];

/** The bound on |V(s′)| under a divergence; Infinity where it implies none. */
export function valueBound(divergence: DivergenceName, regMult: number, gamma: number): number {
  const { bound }: Divergence = divergences[divergence];
  return bound === undefined ? Number.POSITIVE_INFINITY : bound(regMult, gamma);
}
