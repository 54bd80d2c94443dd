export * from './mujoco.js';
export * from './physics.js';
export * from './task.js';
