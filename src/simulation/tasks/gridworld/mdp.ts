/** Cells along a side. Cell s is column s mod 5, row ⌊s / 5⌋. */
export const GRID_SIDE = 5;
export const CELLS = GRID_SIDE * GRID_SIDE;
export const ACTIONS = ['stay', 'left', 'right', 'down', 'up'] as const;
const MOVES = [
  [0, 0],
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;
/** The two opposite corners that pay. */
export const GOALS: readonly number[] = [0, CELLS - 1];

/** A finite Markov decision process, written out for exact solutions. */
export interface TabularMdp {
  readonly states: number;
  readonly actions: number;
  /** P(s′ | s, a) at [(s · actions + a) · states + s′]. */
  readonly transition: Float64Array;
  /** r(s, a) at [s · actions + a]. */
  readonly reward: Float64Array;
  /** P(s₀). */
  readonly initial: Float64Array;
}

/** The cell that an action leads to; an action against a wall leads nowhere. */
export function neighbour(cell: number, action: number): number {
  const [dx, dy] = MOVES[action]!;
  const x = (cell % GRID_SIDE) + dx;
  const y = Math.floor(cell / GRID_SIDE) + dy;
  return x < 0 || x >= GRID_SIDE || y < 0 || y >= GRID_SIDE ? cell : y * GRID_SIDE + x;
}

/** The gridworld's exact dynamics; `slip` is the chance that a uniformly random action is taken instead. */
export function gridworldMdp(slip = 0): TabularMdp {
  const transition = new Float64Array(CELLS * ACTIONS.length * CELLS);
  const reward = new Float64Array(CELLS * ACTIONS.length);
  for (let s = 0; s < CELLS; s++)
    for (let a = 0; a < ACTIONS.length; a++) {
      const row = s * ACTIONS.length + a;
      transition[row * CELLS + neighbour(s, a)]! += 1 - slip;
      for (let other = 0; other < ACTIONS.length; other++)
        transition[row * CELLS + neighbour(s, other)]! += slip / ACTIONS.length;
      reward[row] = GOALS.includes(s) ? 1 : 0;
    }
  return {
    states: CELLS,
    actions: ACTIONS.length,
    transition,
    reward,
    initial: new Float64Array(CELLS).fill(1 / CELLS),
  };
}
