import { Random } from '#src/common/index.js';

/** A small random MDP with a policy on it, solved exactly. Indices: (s, a) at s·A + a. */
export interface Mdp {
  readonly states: number;
  readonly actions: number;
  readonly gamma: number;
  /** P(s′|s,a) */
  readonly transition: readonly (readonly number[])[];
  readonly initial: readonly number[];
}

const normalised = (weights: number[]): number[] => {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
};

export function randomMdp(seed: number, states: number, actions: number, gamma: number): Mdp {
  const random = new Random(seed);
  const row = (): number[] => normalised(Array.from({ length: states }, () => random.uniform() ** 2));
  return {
    states,
    actions,
    gamma,
    transition: Array.from({ length: states * actions }, row),
    initial: row(),
  };
}

export function randomPolicy(seed: number, mdp: Mdp): number[] {
  const random = new Random(seed);
  return Array.from({ length: mdp.states }, () =>
    normalised(Array.from({ length: mdp.actions }, () => 0.1 + random.uniform())),
  ).flat();
}

/** Discounted occupancy ρ(s, a) = (1−γ) Σ_t γ^t P(s_t = s, a_t = a), by iteration to convergence. */
export function occupancy(mdp: Mdp, policy: readonly number[]): number[] {
  const { states, actions, gamma, transition, initial } = mdp;
  let visits = [...initial];
  for (let i = 0; i < 2000; i++) {
    const next = initial.map((p) => (1 - gamma) * p);
    for (let s = 0; s < states; s++)
      for (let a = 0; a < actions; a++)
        for (let to = 0; to < states; to++)
          next[to]! += gamma * visits[s]! * policy[s * actions + a]! * transition[s * actions + a]![to]!;
    visits = next;
  }
  return policy.map((p, i) => p * visits[Math.floor(i / actions)]!);
}

/** Whole-number multiplicities of about `rows` rows in all that follow these weights. */
export function multiplicities(weights: readonly number[], rows: number): number[] {
  return weights.map((w) => Math.round(w * rows));
}
