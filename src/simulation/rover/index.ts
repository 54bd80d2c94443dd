export * from './layout.js';
export { observeRover, roverActions, roverDimensions, roverSectors } from './observation.js';
export { createRoverTask, type RoverOptions } from './task.js';
