export { createGazeboArm } from './gazebo-arm.js';
export type { GazeboRobot, GazeboRobotFactory, GazeboRobotParts } from './gazebo-robot.js';
export { createGazeboRover } from './gazebo-rover.js';
export { GazeboTaskNode, type GazeboTaskParameters, gazeboTaskSchema } from './gazebo-task.js';
export type { GazeboWorld } from './world.js';
