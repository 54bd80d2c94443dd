export * from './classic/index.js';
export * from './locomotion/index.js';
export * from './mujoco.js';
export * from './physics.js';
export { createTask, taskNames } from './registry.js';
export * from './spaces.js';
export * from './task.js';
export { createTaskClient, WorkerTaskClient } from './worker-client.js';
