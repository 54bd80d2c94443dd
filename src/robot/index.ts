export { type ActionMapper, createActionMapper } from './action-mapper.js';
export { createObservationAssembler } from './assembler.js';
export type { Assembled, ObservationAssembler } from './assembler-types.js';
export type { RobotContract } from './contract.js';
export { checkContract, contractOf, robotSpecHash } from './contract.js';
export { createDeadMan, type DeadMan } from './dead-man.js';
export { loadRobotSpec, robotNames } from './files.js';
export { carriesSameAction, isImage, messageKinds } from './kinds/registry.js';
export type { PoseReading, SensorReadings } from './kinds/sensor-readings.js';
export { withNamespace } from './namespace.js';
export { blockSchema, observationOf } from './observation-blocks.js';
export { parseRobotSpec } from './parse.js';
export { readingsToMessages, type TopicMessage } from './readings.js';
export {
  type CountedRefusal,
  describeRefusal,
  type Refusal,
  RefusalCounts,
  refusal,
} from './refusals.js';
export { createSafetyFilter } from './safety-filter.js';
export type { SafetyCounters, SafetyFilter, SafetyInput, SafetyOptions, SafetyOutput } from './safety-types.js';
export { SimulationClock } from './simulation-clock.js';
export type { TakeoverOptions } from './takeover.js';
export { createTakeoverDetector, type TakeoverDetector } from './takeover.js';
export { withStampedTwist } from './twist.js';
export type { RobotSpec, TopicSpec } from './types.js';
export { units } from './units.js';
