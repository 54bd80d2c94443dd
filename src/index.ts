/** Every room by name; each is also an entry of its own: `iq_learn/engine`, `iq_learn/learning`, … */
export { type ErrorCode, IqLearnError } from './common/index.js';
export * as demonstrations from './demonstrations/index.js';
export * as engine from './engine/index.js';
export * as learning from './learning/index.js';
export * as messages from './messages/index.js';
export * as nodes from './nodes/index.js';
export * as platform from './platform/index.js';
export * as policy from './policy/index.js';
export * as robot from './robot/index.js';
export * as sessions from './sessions/index.js';
export * as simulation from './simulation/index.js';
export * as training from './training/index.js';
export * as transport from './transport/index.js';
