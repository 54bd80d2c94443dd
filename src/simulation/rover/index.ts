export * from './layout.js';
export { observeRover, roverActions, roverDimensions, roverSectors, scanFieldOfView } from './observation.js';
export { createRoverTask, type RoverOptions } from './task.js';
