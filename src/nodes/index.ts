export type { LearningOptions, LearningProgress, Segment } from './learner-protocol.js';
export { LearnerNode, type LearnerParameters } from './learner.js';
export { type LearningClient, type LearningEvents, LearningWorker } from './learning-client.js';
export { type Diagnosis, diagnosticLevel, LifecycleNode, type LifecycleState, type NodeContext } from './lifecycle.js';
export { PolicyNode, type PolicyParameters } from './policy.js';
export { RecorderNode, type RecorderParameters } from './recorder.js';
export { SimulatorNode, type SimulatorParameters } from './simulator.js';
export { type Driver, TeleopNode, type TeleopParameters } from './teleop.js';
export { services, topics } from './topics.js';
