import type { TabularMdp } from './mdp.js';

/** The soft values of a Markov decision process. */
export interface SoftSolution {
  /** Q(s, a) at [s · actions + a]. */
  readonly q: Float64Array;
  /** V(s) = T log Σ_a exp(Q(s, a) / T). */
  readonly v: Float64Array;
  /** π(a | s) = exp((Q(s, a) − V(s)) / T) at [s · actions + a]: the policy of maximum entropy. */
  readonly policy: Float64Array;
}

/** Soft value iteration until no value changes by more than 1e-10. Exact up to that. */
export function softSolution(
  { states, actions, transition, reward }: TabularMdp,
  { gamma, temperature }: { readonly gamma: number; readonly temperature: number },
): SoftSolution {
  const q = new Float64Array(states * actions);
  const v = new Float64Array(states);
  for (let change = Number.POSITIVE_INFINITY; change > 1e-10; ) {
    change = 0;
    for (let row = 0; row < q.length; row++) {
      let next = 0;
      for (let s = 0; s < states; s++) next += transition[row * states + s]! * v[s]!;
      q[row] = reward[row]! + gamma * next;
    }
    for (let s = 0; s < states; s++) {
      const own = q.subarray(s * actions, (s + 1) * actions);
      const highest = Math.max(...own);
      const value =
        highest + temperature * Math.log(own.reduce((sum, x) => sum + Math.exp((x - highest) / temperature), 0));
      change = Math.max(change, Math.abs(value - v[s]!));
      v[s] = value;
    }
  }
  const policy = q.map((value, row) => Math.exp((value - v[Math.floor(row / actions)]!) / temperature));
  return { q, v, policy };
}
