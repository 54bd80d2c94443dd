import type { BoxSpace, DiscreteSpace } from '../../task.js';
import { ACTIONS, CELLS, GRID_SIDE } from './mdp.js';

/** One-hot: which cell the agent is in. */
export const gridworldObservations: BoxSpace = {
  kind: 'box',
  dimensions: Array.from({ length: CELLS }, (_, s) => ({
    name: `cell_${s % GRID_SIDE}_${Math.floor(s / GRID_SIDE)}`,
    unit: '1',
    low: 0,
    high: 1,
  })),
};

export const gridworldActions: DiscreteSpace = { kind: 'discrete', n: ACTIONS.length, names: ACTIONS };
