export { armJoints, armTools } from './model.js';
export { armActions, armDimensions, observeArm } from './observation.js';
export { armWorkspace } from './servo.js';
export { armGoalRadius, createArmTask } from './task.js';
