export { type ActionMapper, createActionMapper, unscaleAction } from './action-mapper.js';
export type { Assembled } from './assembler.js';
export { createObservationAssembler, type ObservationAssembler } from './assembler.js';
export type { RobotContract } from './contract.js';
export { checkContract, contractOf, robotSpecHash } from './contract.js';
export { createDeadMan, type DeadMan } from './dead-man.js';
export { loadRobotSpec, robotNames } from './files.js';
export { isImage, messageKinds } from './kinds/registry.js';
export type { PoseReading, SensorReadings } from './kinds/sensor-readings.js';
export { blockSchema, observationOf } from './observation-blocks.js';
export { parseRobotSpec } from './parse.js';
export { readingsToMessages, type TopicMessage } from './readings.js';
export type { SafetyInput } from './safety-filter.js';
export {
  createSafetyFilter,
  type SafetyCounters,
  type SafetyFilter,
  type SafetyOptions,
  type SafetyOutput,
} from './safety-filter.js';
export type { TakeoverOptions } from './takeover.js';
export { createTakeoverDetector, type TakeoverDetector } from './takeover.js';
export { withStampedTwist } from './twist.js';
export type { RobotSpec, TopicSpec } from './types.js';
export { units } from './units.js';
export { SimulationClock } from './watchdog.js';
