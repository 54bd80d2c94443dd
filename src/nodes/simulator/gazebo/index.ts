export { createArmStage } from './arm-stage.js';
export { GazeboTaskNode, type GazeboTaskParameters, gazeboTaskSchema } from './gazebo-task.js';
export { createRoverStage } from './rover-stage.js';
export type { GazeboStage, StageMaker, StageParts } from './stage.js';
export type { GazeboWorld } from './world.js';
