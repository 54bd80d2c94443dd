export * from './layout.js';
export { observeRover, roverActions, roverDimensions, roverSectors, scanFieldOfView } from './observation.js';
export { createRoverTask } from './task.js';
