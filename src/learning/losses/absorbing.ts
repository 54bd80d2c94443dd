import type { DivergenceName } from './divergences.js';
import { valueBound } from './divergences.js';

/**
 * What follows a true terminal state, in which nothing happens any more: the absorbing state.
 *
 * - `learned`: the critic learns its value. Its observation has one more entry, 1 in the absorbing state where all others
 *   are 0; a terminal transition leads there, and the state leads to itself. Right for falls (only policies end, and the
 *   value sinks) and for goals (both end, and it finds its level).
 * - otherwise a fixed value, which takes the place of V(s′) in y = γ V(s′).
 */
export type Absorbing = 'learned' | { readonly value: number };

/** The absorbing state as settings describe it. */
export function absorbingOf(settings: {
  readonly absorbing: 'learned' | 'bound' | 'zero' | 'number';
  readonly absorbingValue: number;
  readonly divergence: DivergenceName;
  readonly regMult: number;
  readonly gamma: number;
}): Absorbing {
  switch (settings.absorbing) {
    case 'learned':
      return 'learned';
    case 'zero':
      return { value: 0 };
    case 'number':
      return { value: settings.absorbingValue };
    case 'bound': {
      const bound = valueBound(settings.divergence, settings.regMult, settings.gamma);
      return { value: Number.isFinite(bound) ? -bound : 0 };
    }
  }
}
