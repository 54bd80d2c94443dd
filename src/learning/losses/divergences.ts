import * as tf from '@tensorflow/tfjs';
import type { MetricLimits } from '../divergence-guard.js';

/**
 * A divergence between the occupancies ρ_E of the expert and ρ of the policy, in the form in which IQ-Learn maximises it
 * over recovered rewards r: D = max_r E_E[φ(r)] − E_ρ[r], with the concave function φ. For an f-divergence
 * D = E_E[f(ρ/ρ_E)] it is φ(r) = −f*(−r).
 *
 * φ is written as `concave(r)` less a regulariser with the weight c (the setting `regMult`), because some divergences
 * take that part over policy rows, too.
 */
export interface Divergence {
  /** What it is and where the formula comes from. */
  readonly source: string;
  /** The part of φ that is taken over the expert's rows: elementwise and concave. */
  readonly concave: (r: tf.Tensor) => tf.Tensor;
  /** The reward below which `concave` goes on as its tangent: φ itself is not defined, or too steep, further down. */
  readonly guard?: number;
  /** c · E[of(r, c)] is subtracted, over expert and policy rows (`mix`, one half each) or over the expert's alone. */
  readonly regulariser?: {
    readonly rows: 'mix' | 'expert';
    readonly of: (r: tf.Tensor, regMult: number) => tf.Tensor;
  };
  /** Whether the gradient of Q with respect to its inputs is held at length 1 (between expert and policy rows). */
  readonly gradientPenalty?: true;
  /** The bound on |Q| that the divergence implies, for clipping bootstrapped values; absent where there is none. */
  readonly bound?: (regMult: number, gamma: number) => number;
}

const SPECIFIED = 'Garg et al. 2021 (IQ-Learn), Table 2 and App. B; φ(r) = −f*(−r)';

/** |r| ≤ 1/c at the optimum, so |Q| ≤ 1/(c(1−γ)). Infinity where c is 0. */
const quadraticBound = (regMult: number, gamma: number): number =>
  regMult === 0 ? Number.POSITIVE_INFINITY : 1 / (regMult * (1 - gamma));

const square = (r: tf.Tensor): tf.Tensor => tf.square(r);

/** How steeply a reward beyond ±1/c is punished: at 50 the optimum exceeds the bound by about two per cent of it. */
const HINGE = 50;

/** The squared part of |r| beyond 1/c: the soft form of the constraint |r| ≤ 1/c. */
const beyondBound = (r: tf.Tensor, regMult: number): tf.Tensor =>
  tf.mul(tf.square(tf.relu(tf.sub(tf.abs(r), 1 / regMult))), HINGE);

/** Every divergence that an agent can minimise. A new one is a row of this table. */
export const divergences = {
  'chi2-mix': {
    source: `Pearson χ²; ${SPECIFIED}. The regulariser over both halves of the batch as in Al-Hafez et al. 2023 (LS-IQ)`,
    concave: (r) => r,
    regulariser: { rows: 'mix', of: square },
    bound: quadraticBound,
  },
  'chi2-expert': {
    source: `Pearson χ², φ(r) = r − c·r², over the expert's rows alone; ${SPECIFIED}, Eq. 12`,
    concave: (r) => r,
    regulariser: { rows: 'expert', of: square },
    bound: quadraticBound,
  },
  kl: {
    source: `KL(ρ ‖ ρ_E), f(t) = t log t; ${SPECIFIED}`,
    concave: (r) => tf.neg(tf.exp(tf.sub(-1, r))),
    guard: -5,
  },
  'kl-shifted': {
    source: `KL(ρ ‖ ρ_E) with the reward shifted by 1, so that it is 0 where the occupancies agree; ${SPECIFIED}`,
    concave: (r) => tf.neg(tf.exp(tf.neg(r))),
    guard: -4,
  },
  'kl-forward': {
    source: `KL(ρ_E ‖ ρ), f(t) = −log t, defined for r > 0; ${SPECIFIED}`,
    concave: (r) => tf.add(tf.log(r), 1),
    guard: 0.05,
  },
  hellinger: {
    source: `squared Hellinger distance, f(t) = (1 − √t)², defined for r > −1; ${SPECIFIED}`,
    concave: (r) => tf.div(r, tf.add(r, 1)),
    guard: -0.8,
  },
  'jensen-shannon': {
    source: `Jensen-Shannon divergence as GANs have it, defined for r > −log 2; ${SPECIFIED}`,
    concave: (r) => tf.log(tf.sub(2, tf.exp(tf.neg(r)))),
    guard: -0.6,
  },
  'total-variation': {
    source: 'total variation: the integral probability metric over rewards within ±1/c, as a soft constraint',
    concave: (r) => r,
    regulariser: { rows: 'mix', of: beyondBound },
    bound: quadraticBound,
  },
  wasserstein: {
    source:
      'Wasserstein-1: the integral probability metric over Lipschitz functions, by the gradient penalty of WGAN-GP',
    concave: (r) => r,
    gradientPenalty: true,
  },
  'chi2-wasserstein': {
    source: 'χ² over both halves of the batch together with the gradient penalty (Garg et al. 2021, footnote 6)',
    concave: (r) => r,
    regulariser: { rows: 'mix', of: square },
    gradientPenalty: true,
    bound: quadraticBound,
  },
} as const satisfies Readonly<Record<string, Divergence>>;

export type DivergenceName = keyof typeof divergences;

/** The names in the order of the table, for settings. */
export const divergenceNames = Object.keys(divergences) as [DivergenceName, ...DivergenceName[]];

/**
 * The concave part of φ with its domain guarded: below `guard` it goes on as its tangent there. That keeps it concave
 * and finite, and unlike clamping it leaves a gradient that brings rewards back into the domain.
 */
export function guardedConcave({ concave, guard }: Divergence, r: tf.Tensor): tf.Tensor {
  if (guard === undefined) return concave(r);
  const edge = tf.scalar(guard);
  const slope = tf.grad((x) => concave(x))(edge);
  return tf.add(concave(tf.maximum(r, edge)), tf.mul(tf.minimum(tf.sub(r, edge), 0), slope));
}

/** The bound on |V(s′)| under a divergence; Infinity where it implies none. */
export function valueBound(divergence: DivergenceName, regMult: number, gamma: number): number {
  const { bound }: Divergence = divergences[divergence];
  return bound === undefined ? Number.POSITIVE_INFINITY : bound(regMult, gamma);
}

/** How far beyond its bound the mean of Q may lie before learning counts as diverged: entropy and noise lie on top. */
const BEYOND_BOUND = 2;

/** The settings that the bound on targets depends on. */
export interface TargetSettings {
  readonly clipTarget: boolean;
  readonly divergence: DivergenceName;
  readonly regMult: number;
  readonly gamma: number;
}

/** The bound within which V(s′) is clipped in y; Infinity where it is not. */
export const targetBound = ({ clipTarget, divergence, regMult, gamma }: TargetSettings): number =>
  clipTarget ? valueBound(divergence, regMult, gamma) : Number.POSITIVE_INFINITY;

/** The range of the mean of Q where targets are bounded; none where they are not. */
export function valueLimits(settings: TargetSettings): MetricLimits {
  const most = BEYOND_BOUND * targetBound(settings);
  return Number.isFinite(most) ? { q: [-most, most] } : {};
}

/** Whether an agent has to penalise the gradient of Q under a divergence. */
export const needsGradientPenalty = (divergence: DivergenceName): boolean =>
  (divergences[divergence] as Divergence).gradientPenalty === true;
