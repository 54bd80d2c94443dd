import type { Random } from '../../../common/index.js';
import { gridworldMdp } from './mdp.js';
import { softSolution } from './solution.js';

/** What the gridworld's demonstrator maximises: the reward with this discount, and entropy with this weight. */
export const gridworldExpertSettings = { gamma: 0.9, temperature: 0.1 } as const;

/** The demonstrator of the gridworld: draws its actions from the exact policy of maximum entropy. */
export function gridworldExpert(): (observation: ArrayLike<number>, random: Random) => [number] {
  const mdp = gridworldMdp();
  const { policy } = softSolution(mdp, gridworldExpertSettings);
  return (observation, random) => {
    const cell = Array.from(observation).indexOf(1);
    let left = random.uniform();
    for (let action = 0; action < mdp.actions; action++) {
      left -= policy[cell * mdp.actions + action]!;
      if (left < 0) return [action];
    }
    return [mdp.actions - 1];
  };
}
