export { ArmKinematics } from './kinematics.js';
export { armHome, armJoints, armModel, armTools } from './model.js';
export { armActions, armDimensions, observeArm } from './observation.js';
export { type ArmScene, drawArmScene } from './scene.js';
export { armWorkspace } from './servo.js';
export { armGoalRadius, createArmTask } from './task.js';
