export { CartPoleTask } from './cartpole.js';
export { GRID_SIDE, GridworldTask, gridworldMdp, type TabularMdp } from './gridworld.js';
