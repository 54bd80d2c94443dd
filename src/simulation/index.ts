export {
  Gymnasium,
  type GymnasiumActions,
  type GymnasiumOptions,
  type GymnasiumStep,
  gymnasiumEnvironment,
} from './bridges/gymnasium.js';
export {
  type ExpertDefinition,
  parseTaskOptions,
  type TaskDefinition,
  type TaskOptions,
  type TopViewScene,
} from './definition.js';
export {
  type Environment,
  type EnvironmentStep,
  environmentOf,
  largestIndex,
  type MaybePromise,
  type OpenEnvironment,
} from './environment.js';
export { createExpert, type Expert, type ExpertOptions, expertNames } from './expert.js';
export type { GazeboPlayer, GazeboRobot, GazeboRobotFactory, GazeboRobotParts, GazeboWorld } from './gazebo.js';
export { LocomotionTask } from './locomotion/locomotion.js';
export { openEnvironment } from './open-environment.js';
export { Physics } from './physics/physics.js';
export type { RayHit, RayOptions } from './physics/rays.js';
export { createTask, taskDefinition, taskDefinitions, taskNames } from './registry.js';
export type {
  BoxSpace,
  Dimension,
  DiscreteSpace,
  PoseReading,
  SceneGeometry,
  SensorReadings,
  StepResult,
  Task,
  TaskClient,
} from './task.js';
export { oneDemonstration, onTheRobot, type TrainingSettings } from './training-settings.js';
export { createTaskClient, WorkerTaskClient } from './worker-client.js';
