export * from './layout.js';
export { roverBase, roverModel } from './model.js';
export { observeRover, roverActions, roverDimensions, roverSectors, scanFieldOfView } from './observation.js';
export { drawRoverScene, type RoverScene } from './scene.js';
export { createRoverTask } from './task.js';
